package allowlist_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/allowlist"
	"shieldwall/internal/localapi/store"
)

type source struct {
	revision int64
	lists    []domain.Allowlist
	reads    int
	err      error
}

func (s *source) Allowlists(context.Context, time.Time) ([]domain.Allowlist, error) {
	s.reads++
	return s.lists, s.err
}

func (s *source) AllowlistRevision(context.Context) (int64, error) { return s.revision, nil }

func clock() time.Time { return now }

func TestIndexFollowsTheRevision(t *testing.T) {
	t.Parallel()
	from := &source{revision: 1, lists: []domain.Allowlist{list("a", "1.1.1.1")}}
	index, err := allowlist.Open(t.Context(), from, clock)
	if err != nil {
		t.Fatal(err)
	}
	if added, err := index.Refresh(t.Context()); err != nil || len(added) != 0 || from.reads != 1 {
		t.Errorf("without a change: %v, %v, %d reads", added, err, from.reads)
	}
	from.revision, from.lists = 2, []domain.Allowlist{list("a", "1.1.1.1", "2.2.2.2")}
	from.err = errors.New("away")
	if _, err := index.Refresh(t.Context()); !errors.Is(err, from.err) || index.Set().Len() != 1 {
		t.Errorf("failing: %v, %d items", err, index.Set().Len())
	}
	from.err = nil
	added, err := index.Refresh(t.Context())
	if err != nil || len(added) != 1 || added[0].Value != "2.2.2.2" || index.Set().Len() != 2 {
		t.Errorf("after the change: %v, %v", added, err)
	}
}

func TestOpenNeedsTheLists(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	if _, err := allowlist.Open(t.Context(), &source{err: away}, clock); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
}

type ender struct {
	batches [][]int64
	failAt  int
}

func (e *ender) ExpireDecisions(_ context.Context, filter store.DecisionFilter, _ time.Time) (int, error) {
	if len(e.batches) == e.failAt {
		return 0, errors.New("away")
	}
	e.batches = append(e.batches, filter.IDs)
	return len(filter.IDs), nil
}

func TestEndGoesByBatches(t *testing.T) {
	t.Parallel()
	ids := make([]int64, 650)
	to := &ender{failAt: -1}
	if count, err := allowlist.End(t.Context(), to, ids, now); err != nil || count != 650 || len(to.batches) != 3 {
		t.Errorf("got %d, %v, %d batches", count, err, len(to.batches))
	}
	if count, err := allowlist.End(t.Context(), &ender{failAt: 1}, ids, now); err == nil || count != 300 {
		t.Errorf("failing half way: got %d, %v", count, err)
	}
}

func TestConcernedDecisions(t *testing.T) {
	t.Parallel()
	set := allowlist.NewSet([]domain.Allowlist{list("a", "1.2.3.4", "10.0.0.0/8")})
	decisions := []*domain.Decision{
		{ID: 1, Scope: domain.ScopeIP, Value: "1.2.3.4"},
		{ID: 2, Scope: domain.ScopeRange, Value: "1.2.0.0/16"},
		{ID: 3, Scope: domain.ScopeIP, Value: "10.9.9.9"},
		{ID: 4, Scope: domain.ScopeIP, Value: "1.2.3.5"},
		{ID: 5, Scope: "username", Value: "1.2.3.4"},
		{ID: 6, Scope: domain.ScopeIP, Value: "nonsense"},
	}
	if got := set.Concerned(slices.Values(decisions), now); !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("got %v", got)
	}
}
