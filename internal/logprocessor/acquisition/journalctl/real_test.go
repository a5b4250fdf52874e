package journalctl_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/acquisitiontest"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
)

// remote is the program of systemd that writes entries it is given into a journal.
const remote = "/lib/systemd/systemd-journal-remote"

func needsSystemd(t *testing.T) {
	t.Helper()
	for _, name := range []string{"journalctl", remote} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("needs the Debian packages systemd and systemd-journal-remote: %v", err)
		}
	}
}

// realJournal is a journal of systemd in a folder.
type realJournal struct{ folder string }

// add appends entries in the format of exports. A message that is no plain text needs its length.
func (j realJournal) add(t *testing.T, records ...record) {
	t.Helper()
	var export bytes.Buffer
	for i, r := range records {
		at := time.Now().Add(time.Duration(i) * time.Microsecond)
		fmt.Fprintf(&export, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=0123456789abcdef0123456789abcdef\n",
			at.UnixMicro(), at.UnixMicro()/1000)
		for name, value := range r {
			text := fmt.Sprint(value)
			length := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
			fmt.Fprintf(&export, "%s\n%s%s\n", name, length, text)
		}
		export.WriteString("\n")
	}
	write := exec.CommandContext(t.Context(), remote, "--output="+filepath.Join(j.folder, "a.journal"), "-")
	write.Stdin = &export
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("writing a journal: %v: %s", err, out)
	}
}

// TestContractWithSystemd runs the contract with the journals and the journalctl of systemd.
func TestContractWithSystemd(t *testing.T) {
	t.Parallel()
	needsSystemd(t)
	acquisitiontest.Run(t, func(t *testing.T) acquisitiontest.Harness {
		t.Helper()
		j := realJournal{t.TempDir()}
		j.add(t, messages("the journal exists")...)
		return acquisitiontest.Harness{
			Kind: "journalctl", Labels: map[string]string{"type": "syslog"},
			Open: func(t *testing.T, env acquisition.Env) acquisition.Source {
				t.Helper()
				return j.open(t, "[--directory="+j.folder+", _SYSTEMD_UNIT=ssh.service, -o, cat]", env)
			},
			Append: func(t *testing.T, lines ...string) {
				t.Helper()
				j.add(t, messages(lines...)...)
			},
		}
	})
}

func (j realJournal) open(t *testing.T, filters string, env acquisition.Env) acquisition.Source {
	t.Helper()
	settings, err := decode("journalctl_filter: "+filters+"\nmode: tail\nlabels: {type: syslog}\n", "")
	if err == nil {
		err = settings.Check()
	}
	if err != nil {
		t.Fatal(err)
	}
	source, err := settings.Open(env)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// TestLinesAsSystemdPrintsThem compares our lines with those that journalctl prints.
func TestLinesAsSystemdPrintsThem(t *testing.T) {
	t.Parallel()
	needsSystemd(t)
	j := realJournal{t.TempDir()}
	records := []record{
		{"MESSAGE": "hello  ", "_HOSTNAME": "host", "SYSLOG_IDENTIFIER": "sshd", "_PID": "42"},
		{"MESSAGE": "sent before", "_HOSTNAME": "host", "SYSLOG_IDENTIFIER": "sshd", "_SOURCE_REALTIME_TIMESTAMP": "1699999990000000"},
		{"MESSAGE": "one\ntwo\n\nthree", "_HOSTNAME": "host", "_COMM": "cron", "SYSLOG_PID": "43"},
		{"_HOSTNAME": "host", "_COMM": "silent"},
		{"MESSAGE": "nobody", "_HOSTNAME": "host"},
		{"MESSAGE": "nowhere"},
		{"MESSAGE": "\x1b[31mred\x1b[0m and\ttab", "_HOSTNAME": "host", "SYSLOG_IDENTIFIER": "a", "_PID": "1", "SYSLOG_PID": "2"},
		{"MESSAGE": "äöü 漢字", "_HOSTNAME": "host", "SYSLOG_IDENTIFIER": "a"},
		{"MESSAGE": strings.Repeat("long ", 2000), "_HOSTNAME": "host", "SYSLOG_IDENTIFIER": "a"},
		{"MESSAGE": "\nbegins and ends with one\n", "_HOSTNAME": "host", "SYSLOG_IDENTIFIER": "a"},
	}
	j.add(t, records...)
	printer := exec.CommandContext(t.Context(), "journalctl", "--quiet", "--directory="+j.folder)
	printer.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	printed, err := printer.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(printed)) {
		if strings.TrimSpace(line) != "" { // the blank ones in the middle of a message
			want = append(want, strings.TrimSuffix(line, "\n"))
		}
	}
	got := j.readAll(t)
	if len(want) < len(records) || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// readAll reads the journal from its beginning to its end.
func (j realJournal) readAll(t *testing.T) []string {
	t.Helper()
	settings, err := decode("journalctl_filter: [--directory="+j.folder+"]\nmode: cat\nlabels: {type: syslog}\n", "")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	source, err := settings.Open(acquisition.Env{
		Log: log, Now: func() time.Time { return time.Now().UTC() }, Checkpoints: checkpoint.InMemory(checkpoint.Options{Log: log, Now: time.Now}),
	})
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan acquisition.Batch)
	ended := make(chan error, 1)
	go func() {
		defer close(out)
		ended <- source.Run(context.WithoutCancel(t.Context()), out)
	}()
	var lines []string
	for batch := range out {
		for _, line := range batch.Lines {
			lines = append(lines, line.Raw)
		}
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return lines
}
