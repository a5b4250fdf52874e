package file

import (
	"slices"
	"testing"
)

func TestGenerations(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		base   string
		names  []string // of rotated files, oldest first, after and before names that are none
		others []string
	}{
		"numbers": {
			"a.log",
			[]string{"a.log.12", "a.log.3", "a.log.2", "a.log.1"},
			[]string{"a.log", "a.log.1.gz", "a.log.bak", "b.log.1", "a.log.", "a.log.x1"},
		},
		"dates": {
			"a.log",
			[]string{"a.log-20251231", "a.log-20260101", "a.log-20260102-1400000000"},
			[]string{"a.log-2026x", "a.log-"},
		},
		"dates before the extension": {
			"a.log",
			[]string{"a-2026-01-01T00-00-00.000.log", "a-2026-01-02T00-00-00.000.log"},
			[]string{"a-b.log", "ab.log"},
		},
		"numbers before the extension": {"a.log", []string{"a.2.log", "a.1.log"}, nil},
		"no extension":                 {"syslog", []string{"syslog.2", "syslog.1"}, []string{"syslog2", "syslog.d"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all []generation
			for _, name := range slices.Concat(test.others, test.names) {
				if g, ok := generationOf(test.base, name); ok {
					all = append(all, g)
				}
			}
			if len(all) != len(test.names) {
				t.Fatalf("rotated: %v, want %v", all, test.names)
			}
			for i, g := range all {
				next, ok := g.next(all)
				last := i == len(all)-1
				gap := g.number > 0 && !last && all[i+1].number != g.number-1
				if last || gap {
					if ok {
						t.Errorf("after %s comes %s, want none", g.name, next.name)
					}
					continue
				}
				if !ok || next.name != test.names[i+1] {
					t.Errorf("after %s comes %q, want %s", g.name, next.name, test.names[i+1])
				}
			}
		})
	}
}

func TestFileAfterAnother(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rotated []string // by identity, from 1
		want    string
		ok      bool
	}{
		"newest rotated":              {[]string{"a.log.1"}, "/var/a.log", true},
		"the number before":           {[]string{"a.log.2", "a.log.1"}, "/var/a.log.1", true},
		"everything was renamed once": {[]string{"a.log.3"}, "/var/a.log", true},
		"renaming in progress":        {[]string{"a.log.3", "a.log.1"}, "", false},
		"numbers of something else":   {[]string{"a.log.3", "a-1.log"}, "/var/a.log", true},
		"the date after":              {[]string{"a.log-20260101", "a.log-20260103"}, "/var/a.log-20260103", true},
	} {
		f := family{path: "/var/a.log", current: identity{Inode: 100}, exists: true}
		for i, name := range test.rotated {
			g, ok := generationOf("a.log", name)
			if !ok {
				t.Fatalf("%s is not rotated", name)
			}
			g.identity = identity{Inode: uint64(i + 1)}
			f.rotated = append(f.rotated, g)
		}
		if got, _, ok := f.after(identity{Inode: 1}); got != test.want || ok != test.ok {
			t.Errorf("%s: %q, %v, want %q, %v", name, got, ok, test.want, test.ok)
		}
	}
}

func FuzzGenerationOf(f *testing.F) {
	f.Add("a.log", "a.log.1")
	f.Add("a.log", "a-20260101.log")
	f.Add(".", "..1")
	f.Fuzz(func(t *testing.T, base, name string) {
		g, ok := generationOf(base, name)
		if ok && (g.name != name || name == base) {
			t.Fatalf("%q is taken for a rotated %q as %+v", name, base, g)
		}
	})
}
