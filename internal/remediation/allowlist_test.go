package remediation_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/logging"
	"shieldwall/internal/remediation"
	"shieldwall/internal/wire"
)

// allowlists is a Local API that answers as listed, one after the other, and the last for ever.
type allowlists []func() ([]wire.Allowlist, error)

func (a *allowlists) BouncerAllowlists(context.Context) ([]wire.Allowlist, error) {
	answer := (*a)[0]
	if len(*a) > 1 {
		*a = (*a)[1:]
	}
	return answer()
}

func listed(values ...string) func() ([]wire.Allowlist, error) {
	var items []wire.AllowlistItem
	for _, value := range values {
		items = append(items, wire.AllowlistItem{Value: value})
	}
	return func() ([]wire.Allowlist, error) { return []wire.Allowlist{{Name: "friends", Items: items}}, nil }
}

func withheld(kind fault.Kind) func() ([]wire.Allowlist, error) {
	return func() ([]wire.Allowlist, error) { return nil, fault.Errorf(kind, "because it is %s", kind) }
}

func TestAllowlistFollower(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answers allowlists
		holds   []string
		says    string // in the log, once for each reason
		count   int
	}{
		"the last answer counts":     {allowlists{listed("192.0.2.1"), listed("192.0.2.0/24", "nonsense", "192.0.2.0/24")}, []string{"192.0.2.0/24"}, "left out", 1},
		"a failure changes nothing":  {allowlists{listed("192.0.2.1"), withheld(fault.Unavailable)}, []string{"192.0.2.1"}, "the last ones stay in force", 1},
		"a published one tells none": {allowlists{withheld(fault.Unauthorized)}, nil, "doing without", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				backend := newFragile(time.Now)
				e := newEnforcer(backend, time.Now)
				must(t, e.Start(t.Context()))
				ctx, stop := context.WithTimeout(t.Context(), 150*time.Second)
				defer stop()
				remediation.NewAllowlistFollower(&test.answers, e, time.Minute, logging.New(&out, logging.Options{})).Run(ctx)
				held := backend.holds(t)
				if len(held) != len(test.holds) {
					t.Errorf("holds %v", held)
				}
				for _, value := range test.holds {
					if !held[value] {
						t.Errorf("holds %v, not %s", held, value)
					}
				}
				if got := strings.Count(out.String(), test.says); got < test.count || got > 2*test.count {
					t.Errorf("%q is said %d times in\n%s", test.says, got, &out)
				}
			})
		})
	}
}
