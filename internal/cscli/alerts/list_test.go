package alerts

import (
	"testing"

	"shieldwall/internal/wire"
)

func TestSubject(t *testing.T) {
	t.Parallel()
	one := wire.Decision{Scope: "Ip"}
	for want, alert := range map[string]wire.Alert{
		"Ip:1.2.3.4":   {Source: &wire.Source{Scope: "Ip", Value: "1.2.3.4"}, Decisions: []wire.Decision{one}},
		"lists:x":      {Source: &wire.Source{Scope: "lists:x"}},
		"CAPI (2 Ips)": {Source: &wire.Source{Scope: "CAPI", Value: "ignored"}, Decisions: []wire.Decision{one, one}},
		"":             {},
	} {
		if got := subject(alert); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDecisionCountsAreSorted(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	got := decisionCounts([]wire.Decision{
		{Type: "captcha"}, {Type: "ban", Simulated: &no}, {Type: "ban"}, {Type: "ban", Simulated: &yes},
	})
	if want := "(simul)ban:1 ban:2 captcha:1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestContextValuesAreListsOrText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{`["a","b"]`: 2, `[]`: 0, `plain`: 1, `{"a":1}`: 1, ``: 1} {
		if got := values(text); len(got) != want {
			t.Errorf("%q: got %q", text, got)
		}
	}
}
