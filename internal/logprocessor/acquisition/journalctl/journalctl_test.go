package journalctl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/acquisitiontest"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/acquisition/journalctl"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/logging/logtest"
)

const patience = time.Minute

func TestContract(t *testing.T) {
	t.Parallel()
	acquisitiontest.Run(t, func(t *testing.T) acquisitiontest.Harness {
		t.Helper()
		j := newJournal(t)
		return acquisitiontest.Harness{
			Kind: "journalctl", Labels: map[string]string{"type": "syslog"},
			Open: func(t *testing.T, env acquisition.Env) acquisition.Source {
				t.Helper()
				return open(t, j, "-o, cat", env)
			},
			Append: func(t *testing.T, lines ...string) {
				t.Helper()
				j.add(t, messages(lines...)...)
			},
		}
	})
}

// open opens a source over the unit of messages with further filters.
func open(t *testing.T, j *journal, filters string, env acquisition.Env) acquisition.Source {
	t.Helper()
	settings, err := decode(fmt.Sprintf("journalctl_filter: [%q, _SYSTEMD_UNIT=ssh.service, %s]\nlabels: {type: syslog}\n",
		"--directory="+j.folder, filters), j.program())
	if err != nil {
		t.Fatal(err)
	}
	source, err := settings.Open(env)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func decode(text, program string) (acquisition.Settings, error) {
	documents, err := acquisition.ParseDocuments("acquis.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	return journalctl.Factory{Program: program}.Decode(documents[0])
}

// follow is a source that runs, and what came from it.
type follow struct {
	t    *testing.T
	j    *journal
	env  acquisition.Env
	out  chan acquisition.Batch
	logs *logtest.Buffer

	registry *prometheus.Registry
}

func newFollow(t *testing.T) *follow {
	t.Helper()
	f := &follow{t: t, j: newJournal(t), out: make(chan acquisition.Batch), logs: &logtest.Buffer{}, registry: prometheus.NewRegistry()}
	f.env = acquisition.Env{
		Log: slog.New(slog.NewTextHandler(f.logs, nil)), Now: func() time.Time { return time.Now().UTC() },
		Checkpoints: checkpoint.InMemory(checkpoint.Options{Log: slog.New(slog.DiscardHandler), Now: time.Now}),
		Metrics:     f.registry,
	}
	return f
}

// start runs a source, and returns how to end it.
func (f *follow) start(filters string) (stop func()) {
	f.t.Helper()
	source := open(f.t, f.j, filters, f.env)
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- source.Run(ctx, f.out) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			f.t.Error(err)
		}
	})
	f.t.Cleanup(stop)
	return stop
}

func (f *follow) batch() acquisition.Batch {
	f.t.Helper()
	select {
	case batch := <-f.out:
		batch.Ack()
		return batch
	case <-time.After(patience):
		f.t.Fatalf("nothing is delivered; the source says\n%s", f.logs)
		return acquisition.Batch{}
	}
}

func (f *follow) expect(texts ...string) {
	f.t.Helper()
	for len(texts) > 0 {
		for _, line := range f.batch().Lines {
			if len(texts) == 0 || line.Raw != texts[0] {
				f.t.Fatalf("got %q, want %q", line.Raw, texts)
			}
			texts = texts[1:]
		}
	}
}

func (f *follow) await(text string) {
	f.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(f.logs.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("the source does not say %q:\n%s", text, f.logs)
		}
	}
}

func TestLinesLookLikeSyslog(t *testing.T) {
	t.Parallel()
	f := newFollow(t)
	f.start("_PID=42")
	sent := time.Date(2026, 3, 4, 9, 26, 53, 0, time.UTC)
	found := messages("Failed password for root from 192.0.2.1 port 22 ssh2")[0]
	found["_SOURCE_REALTIME_TIMESTAMP"] = fmt.Sprint(sent.UnixMicro())
	f.j.add(t, found)
	batch := f.batch()
	line := batch.Lines[0]
	if line.Raw != "Mar 04 09:26:53 host sshd[42]: Failed password for root from 192.0.2.1 port 22 ssh2" {
		t.Errorf("got %q", line.Raw)
	}
	if want := "journalctl---directory=" + f.j.folder + "._SYSTEMD_UNIT=ssh.service._PID=42"; line.Src != want {
		t.Errorf("source %s, want %s", line.Src, want)
	}
	if line.Module != "journalctl" || line.Labels["type"] != "syslog" || !line.Process || batch.Clock != event.Live {
		t.Errorf("got %+v, clock %v", line, batch.Clock)
	}
	counted, err := f.registry.Gather()
	if err != nil || len(counted) != 1 || counted[0].GetName() != "cs_journalctlsource_hits_total" || counted[0].GetMetric()[0].GetCounter().GetValue() != 1 {
		t.Errorf("counted: %v, %v", counted, err)
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		filter string
		want   func(encoded string) string
	}{
		"cat":  {"--output=cat", func(string) string { return "hello" }},
		"json": {"-ojson", func(encoded string) string { return encoded }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFollow(t)
			f.start(test.filter)
			found := messages("hello")
			f.j.add(t, found...)
			encoded, err := json.Marshal(found[0])
			if err != nil {
				t.Fatal(err)
			}
			f.expect(test.want(string(encoded)))
		})
	}
}

func TestWhereReadingBegins(t *testing.T) {
	t.Parallel()
	tests := map[string]func(f *follow){
		"at the end, when the source is opened": func(f *follow) {
			f.j.add(f.t, messages("old", "older")...)
			source := open(f.t, f.j, "-o, cat", f.env)
			f.j.add(f.t, messages("new")...)
			ctx, cancel := context.WithCancel(context.WithoutCancel(f.t.Context()))
			ended := make(chan error, 1)
			go func() { ended <- source.Run(ctx, f.out) }()
			f.expect("new")
			cancel()
			if err := <-ended; err != nil {
				f.t.Error(err)
			}
		},
		"where another one stopped": func(f *follow) {
			stop := f.start("-o, cat")
			f.j.add(f.t, messages("one")...)
			f.expect("one")
			stop()
			f.j.add(f.t, messages("two", "three")...)
			f.start("-o, cat")
			f.expect("two", "three")
		},
		"where it was when the program ended": func(f *follow) {
			f.start("-o, cat")
			f.j.add(f.t, messages("one")...)
			f.expect("one")
			f.j.fail(f.t)
			f.await("journalctl has ended")
			f.j.add(f.t, messages("two")...)
			f.await("the journal is broken")
			f.j.repair(f.t)
			f.expect("two")
		},
		"at the end, when it can be known": func(f *follow) {
			f.j.add(f.t, messages("old")...)
			f.j.fail(f.t)
			f.start("-o, cat")
			f.await("the end of the journal is not known yet")
			f.j.repair(f.t)
			f.await("following the journal")
			f.j.add(f.t, messages("new")...)
			f.expect("new")
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newFollow(t))
		})
	}
}

func TestLateEntriesHappenWhenTheySay(t *testing.T) {
	t.Parallel()
	f := newFollow(t)
	stop := f.start("-o, cat")
	f.j.add(t, messages("one")...)
	f.expect("one")
	stop()
	f.j.addAt(t, time.Now().Add(-time.Hour), messages("an hour ago")...)
	f.j.addAt(t, time.Now().Add(-2*time.Minute), messages("two minutes ago")...)
	f.j.add(t, messages("now")...)
	f.start("-o, cat")
	got := map[string]event.Clock{}
	for len(got) < 3 {
		batch := f.batch()
		for _, line := range batch.Lines {
			got[line.Raw] = batch.Clock
		}
	}
	if got["an hour ago"] != event.TimeMachine || got["two minutes ago"] != event.TimeMachine || got["now"] != event.Live {
		t.Errorf("clocks: %v", got)
	}
}

func TestSameJournalTwice(t *testing.T) {
	t.Parallel()
	f := newFollow(t)
	f.start("-o, cat")
	f.await("following the journal")
	f.start("-o, cat")
	f.await("followed already")
	f.j.add(t, messages("one", "two")...)
	f.expect("one", "two")
}

func TestUnreadableEntriesAreLeftOut(t *testing.T) {
	t.Parallel()
	f := newFollow(t)
	f.start("-o, cat")
	f.j.add(t, record{"MESSAGE": map[string]any{}, "_SYSTEMD_UNIT": "ssh.service"})
	f.j.add(t, messages(strings.Repeat("x", 2<<20), "good")...)
	f.expect("good")
	f.await("neither a text nor a list")
	f.await("too long, left out")
}

func TestReadOnce(t *testing.T) {
	t.Parallel()
	f := newFollow(t)
	f.j.add(t, messages("one", "two")...)
	target := "filters=--directory%3D" + f.j.folder + "&filters=_SYSTEMD_UNIT%3Dssh.service&filters=-ocat&since=yesterday&log_level=debug"
	settings, err := journalctl.Factory{Program: f.j.program()}.DecodeDSN(acquisition.DSN{
		Kind: "journalctl", Target: target, Labels: map[string]string{"type": "syslog"},
	})
	if err != nil {
		t.Fatal(err)
	}
	source, err := settings.Open(f.env)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- source.Run(t.Context(), f.out) }()
	var got []string
	for len(got) < 2 {
		batch := f.batch()
		for _, line := range batch.Lines {
			got = append(got, line.Raw)
		}
		if batch.Clock != event.TimeMachine {
			t.Errorf("clock %v", batch.Clock)
		}
	}
	if got[0] != "one" || got[1] != "two" {
		t.Errorf("got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	f.j.fail(t)
	if err := source.Run(t.Context(), f.out); err == nil || !strings.Contains(err.Error(), "the journal is broken") {
		t.Errorf("a program that fails: %v", err)
	}
}

func TestSettingsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"journalctl_filter: []":                        "at least one filter",
		"source: journalctl":                           "at least one filter",
		"journalctl_filter: [--reverse]":               "--reverse cannot be used",
		"journalctl_filter: [--after-cursor=x]":        "--after-cursor cannot be used",
		"journalctl_filter: [-cx]":                     "-c cannot be used",
		"journalctl_filter: [-o, verbose]":             `output "verbose" is not supported`,
		"journalctl_filter: [-o]":                      `output "" is not supported`,
		"journalctl_filter: [--output=export]":         `output "export" is not supported`,
		"journalctl_filter: [_UID=0]\nfilenames: [/x]": `unknown key "filenames"`,
	} {
		if _, err := decode(text+"\nlabels: {type: x}\n", ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for target, want := range map[string]string{
		"":                          "at least one filter",
		"filters=a&since=1&since=2": "since is given 2 times",
		"filters=a&lines=1":         "unknown parameter lines",
		"filters=%zz":               "reading parameters",
	} {
		if _, err := (journalctl.Factory{}).DecodeDSN(acquisition.DSN{Target: target}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", target, err, want)
		}
	}
}

func TestWithoutTheProgram(t *testing.T) {
	t.Parallel()
	settings, err := decode("journalctl_filter: [_UID=0]\nlabels: {type: x}\n", filepath.Join(t.TempDir(), "journalctl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := settings.Check(); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}
