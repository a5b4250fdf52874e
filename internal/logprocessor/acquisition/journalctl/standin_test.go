package journalctl_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain makes the test program a stand-in for journalctl when it is called by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "journalctl" {
		os.Exit(standIn(os.Args[1:]))
	}
	flag.Parse()
	os.Exit(m.Run())
}

// record is an entry of a stand-in's journal, a file with one a line. Its fields are written as they are.
type record map[string]any

func (r record) cursor() string { return fmt.Sprint(r["__CURSOR"]) }

// request is what a stand-in is asked for.
type request struct {
	folder  string
	last    int // entries, -1 for all
	after   string
	follow  bool
	matches []string
}

func parseRequest(args []string) request {
	r := request{last: -1}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch {
		case name == "--directory":
			r.folder = value
		case name == "--lines":
			_, _ = fmt.Sscan(value, &r.last)
		case name == "--no-tail":
			r.last = -1
		case name == "--after-cursor":
			r.after = value
		case name == "--follow":
			r.follow = true
		case !strings.HasPrefix(arg, "-"):
			r.matches = append(r.matches, arg)
		}
	}
	return r
}

// standIn prints entries as journalctl does with --output=json. With a file "broken" in its folder it fails.
func standIn(args []string) int {
	r := parseRequest(args)
	if _, err := os.Stat(filepath.Join(r.folder, "broken")); err == nil {
		fmt.Fprintln(os.Stderr, "the journal is\nbroken")
		return 1
	}
	printed := 0
	for {
		records, lines := r.read()
		if printed == 0 && r.last >= 0 {
			printed = max(0, len(records)-r.last)
		}
		if printed == 0 && r.after != "" {
			printed = slices.IndexFunc(records, func(found record) bool { return found.cursor() == r.after }) + 1
		}
		for _, line := range lines[min(printed, len(lines)):] {
			if _, err := fmt.Println(line); err != nil {
				return 1
			}
		}
		printed = max(printed, len(lines))
		if !r.follow {
			return 0
		}
		if _, err := os.Stat(filepath.Join(r.folder, "broken")); err == nil {
			return 1
		}
		if nobodyReads() {
			return 1
		}
	}
}

// nobodyReads reports whether standard output was closed, after a moment: there is nobody who could tell what happens.
func nobodyReads() bool {
	output := []unix.PollFd{{Fd: 1}}
	_, err := unix.Poll(output, 5)
	return err == nil && output[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
}

func (r request) read() (records []record, lines []string) {
	text, _ := os.ReadFile(filepath.Join(r.folder, "entries")) // not there yet: empty
	end := strings.LastIndexByte(string(text), '\n') + 1
	for line := range strings.Lines(string(text[:end])) {
		var found record
		if err := json.Unmarshal([]byte(line), &found); err != nil || !r.selects(found) {
			continue
		}
		records, lines = append(records, found), append(lines, strings.TrimSpace(line))
	}
	return records, lines
}

func (r request) selects(found record) bool {
	return !slices.ContainsFunc(r.matches, func(match string) bool {
		name, value, _ := strings.Cut(match, "=")
		return fmt.Sprint(found[name]) != value
	})
}

// journal is a journal in a folder that the stand-in reads.
type journal struct {
	folder string
	count  int
}

func newJournal(t *testing.T) *journal {
	t.Helper()
	j := &journal{folder: t.TempDir()}
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, j.program())
	}
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func (j *journal) program() string { return filepath.Join(j.folder, "journalctl") }

// add appends entries with a cursor and the time of now.
func (j *journal) add(t *testing.T, records ...record) {
	t.Helper()
	j.addAt(t, time.Now(), records...)
}

func (j *journal) addAt(t *testing.T, at time.Time, records ...record) {
	t.Helper()
	var text []byte
	for _, r := range records {
		j.count++
		r["__CURSOR"] = fmt.Sprintf("s=0123;i=%x", j.count)
		r["__REALTIME_TIMESTAMP"] = fmt.Sprint(at.UnixMicro())
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	file, err := os.OpenFile(filepath.Join(j.folder, "entries"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.Write(text)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// messages makes entries of one unit out of texts.
func messages(texts ...string) []record {
	records := make([]record, 0, len(texts))
	for _, text := range texts {
		records = append(records, record{
			"MESSAGE": text, "_SYSTEMD_UNIT": "ssh.service", "_HOSTNAME": "host", "SYSLOG_IDENTIFIER": "sshd", "_PID": "42",
		})
	}
	return records
}

// fail makes the program end, and fail until it is repaired.
func (j *journal) fail(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(j.folder, "broken"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (j *journal) repair(t *testing.T) {
	t.Helper()
	if err := os.Remove(filepath.Join(j.folder, "broken")); err != nil {
		t.Fatal(err)
	}
}
