package journalctl

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	maxEntries   = 512      // of one hand-over
	maxJSON      = 1 << 20  // bytes of one entry
	readBytes    = 64 << 10 // of one system call
	stderrBytes  = 1 << 10  // of what a program says about its end
	killPatience = 5 * time.Second
)

// program is a running journalctl. It ends with the context that it was started with.
type program struct {
	cmd    *exec.Cmd
	output io.ReadCloser
	said   *lastBytes
}

func startProgram(ctx context.Context, path string, arguments []string) (*program, error) {
	cmd := exec.CommandContext(ctx, path, arguments...) //nolint:gosec // the administrator names what to read
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = killPatience
	said := &lastBytes{}
	cmd.Stderr = said
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &program{cmd, output, said}, nil
}

// raw is an entry as it came.
type raw struct {
	text  []byte // a copy
	error error  // instead
}

// read calls deliver with what can be read at once, in order, until the program ends or deliver returns false. What it
// returns says why the program ended, nil for no reason but that it had nothing more to say.
func (p *program) read(deliver func([]raw) bool) error {
	reader := bufio.NewReaderSize(p.output, readBytes)
	var err error
	for err == nil {
		var entries []raw
		entries, err = readAvailable(reader)
		if len(entries) > 0 && !deliver(entries) {
			break
		}
	}
	_, _ = io.Copy(io.Discard, reader) // a program that still writes would not end
	if failure := p.cmd.Wait(); failure != nil {
		return fmt.Errorf("running journalctl: %w: %s", failure, p.said)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading from journalctl: %w", err)
	}
	return nil
}

// readAvailable waits for an entry and returns it with those that have come with it.
func readAvailable(reader *bufio.Reader) ([]raw, error) {
	var entries []raw
	for len(entries) < maxEntries {
		text, err := readLine(reader)
		if len(text) > 0 || errors.Is(err, errTooLong) {
			entries = append(entries, raw{text, err})
		}
		if err != nil && !errors.Is(err, errTooLong) {
			return entries, err
		}
		if buffered, _ := reader.Peek(reader.Buffered()); bytes.IndexByte(buffered, '\n') < 0 {
			break // the next one would have to be waited for
		}
	}
	return entries, nil
}

var errTooLong = errors.New("an entry of the journal is too long, left out")

// readLine returns a copy of the next line without its end. Half a line at the end of the input is none.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := reader.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > maxJSON; !tooLong {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return nil, err
		case tooLong:
			return nil, errTooLong
		}
		return bytes.TrimSpace(line), nil
	}
}

// lastBytes keeps the end of what is written to it. It is safe for concurrent use.
type lastBytes struct {
	mu   sync.Mutex
	text []byte
}

// Write satisfies io.Writer.
func (l *lastBytes) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, text...)
	if excess := len(l.text) - stderrBytes; excess > 0 {
		l.text = l.text[excess:]
	}
	return len(text), nil
}

// String returns it in one line.
func (l *lastBytes) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if text := strings.Join(strings.Fields(string(l.text)), " "); text != "" {
		return text
	}
	return "it said nothing"
}
