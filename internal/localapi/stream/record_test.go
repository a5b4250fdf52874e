package stream

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
)

// TestRecordsKeepDecisions, however value and UUID are spelled.
func TestRecordsKeepDecisions(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(rapid.SampledFrom([]string{
		"192.0.2.1", "192.0.2.1/32", "192.0.2.0/24", "::", "2001:db8::1", "2001:DB8::1", "2001:db8:0::1", "::ffff:192.0.2.1", "fe80::1%eth0", "192.0.2.01", "FR", "",
	}), rapid.String())
	id := rapid.OneOf(rapid.SampledFrom([]string{
		"", "00000000-0000-0000-0000-000000000000", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "6BA7B810-9dad-41d1-80b4-00c04fd430c8",
		"{6ba7b810-9dad-41d1-80b4-00c04fd430c8}", "6ba7b8109dad41d180b400c04fd430c8", "6ba7b810-9dad-41d1-80b4-00c04fd430c",
	}), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		want := domain.Decision{
			ID: rapid.Int64().Draw(t, "id"), Value: value.Draw(t, "value"), UUID: id.Draw(t, "uuid"), Origin: rapid.String().Draw(t, "origin"),
			Type: rapid.String().Draw(t, "type"), Scenario: rapid.String().Draw(t, "scenario"), Scope: domain.Scope(rapid.String().Draw(t, "scope")),
			Simulated: rapid.Bool().Draw(t, "simulated"), Until: time.UnixMicro(rapid.Int64().Draw(t, "until")).UTC(),
		}
		r := recordOf(&want)
		if got := r.Decision(); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		covers, _ := domain.ParseIPRange(want.Value)
		if r.covers() != covers {
			t.Errorf("%q covers %v, want %v", want.Value, r.covers(), covers)
		}
	})
}
