package stash_test

import (
	"testing"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression/stash"
)

func TestDeclareRefuses(t *testing.T) {
	t.Parallel()
	s := stash.New(time.Now)
	for name, spec := range map[string]stash.Spec{
		"no name":       {TTL: time.Second},
		"no ttl":        {Name: "a"},
		"negative ttl":  {Name: "a", TTL: -1},
		"negative size": {Name: "a", TTL: time.Second, Size: -1},
	} {
		if err := s.Declare(spec); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, ok := s.Get("a", "k"); ok {
		t.Error("a refused stash exists")
	}
}

func TestDeclareDefaults(t *testing.T) {
	t.Parallel()
	s := stash.New(time.Now)
	if err := s.Declare(stash.Spec{Name: "a", TTL: time.Hour, Strategy: "unheard of"}); err != nil {
		t.Fatal(err)
	}
	key := func(i int) string { return string(rune('0' + i)) }
	for i := range 101 {
		s.Set("a", key(i), "v")
	}
	if value, _ := s.Get("a", key(0)); value != "" {
		t.Error("more than 100 entries are kept")
	}
	if value, _ := s.Get("a", key(1)); value != "v" {
		t.Error("fewer than 100 entries are kept, or not the latest")
	}
}

func TestNamesStayApart(t *testing.T) {
	t.Parallel()
	s := stash.New(time.Now)
	for _, name := range []string{"a", "b"} {
		if err := s.Declare(stash.Spec{Name: name, TTL: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	if !s.Set("a", "k", "v") || s.Set("c", "k", "v") || s.SetFor("c", "k", "v", time.Second) {
		t.Error("Set does not tell known from unknown names")
	}
	for name, want := range map[string]string{"a": "v", "b": "", "c": ""} {
		if value, known := s.Get(name, "k"); value != want || known != (name != "c") {
			t.Errorf("%s holds %q, %v", name, value, known)
		}
	}
}

func TestFirstOfOneNameIsRead(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	s := stash.New(func() time.Time { return now })
	for _, ttl := range []time.Duration{time.Second, time.Hour} {
		if err := s.Declare(stash.Spec{Name: "a", TTL: ttl}); err != nil {
			t.Fatal(err)
		}
	}
	s.Set("a", "k", "v")
	if value, _ := s.Get("a", "k"); value != "v" {
		t.Errorf("holds %q", value)
	}
	now = now.Add(time.Minute)
	if value, known := s.Get("a", "k"); value != "" || !known {
		t.Errorf("the second is read: %q", value)
	}
}
