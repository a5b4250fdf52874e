package bouncers

import (
	"slices"
	"testing"
	"time"

	"shieldwall/internal/domain"
)

func TestTheListShowsWhatIsEnforced(t *testing.T) {
	t.Parallel()
	plain := domain.Bouncer{Name: "plain"}
	reporting := domain.Bouncer{Name: "fw", Standing: domain.Standing{
		VerifiedAt: time.Unix(1, 0), Wanted: 3000, Missing: 1, Foreign: 2, Selection: domain.Selection{Types: []string{"ban"}},
	}}
	young := domain.Bouncer{Name: "young", Standing: domain.Standing{Selection: domain.Selection{Types: []string{"ban"}}}}
	if l := listOf([]domain.Bouncer{plain}); slices.Contains(l.Header, "Coverage") || len(l.Row(plain)) != len(l.Header) {
		t.Errorf("nobody reports: %v", l.Header)
	}
	l := listOf([]domain.Bouncer{plain, reporting, young})
	for _, c := range []struct {
		bouncer domain.Bouncer
		want    []string
	}{{plain, []string{"", "", ""}}, {reporting, []string{"99.9%", "1", "2"}}, {young, []string{"", "", ""}}} {
		row := l.Row(c.bouncer)
		if got := row[len(row)-3:]; !slices.Equal(got, c.want) || len(row) != len(l.Header) {
			t.Errorf("%s: %v", c.bouncer.Name, got)
		}
	}
	if recordOf(plain).Enforcement != nil || recordOf(reporting).Enforcement.CoveragePercent >= 100 || recordOf(young).Enforcement.VerifiedAt != nil {
		t.Error("the documents differ")
	}
}
