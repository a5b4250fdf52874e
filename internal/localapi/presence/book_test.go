package presence_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/presence"
	"shieldwall/internal/localapi/store"
)

// memory is a store that remembers what it was told.
type memory struct {
	mu       sync.Mutex
	away     bool
	slow     time.Duration
	writes   int
	machines map[string]store.MachineChange
	bouncers map[int64]store.BouncerChange
}

func newMemory() *memory {
	return &memory{machines: map[string]store.MachineChange{}, bouncers: map[int64]store.BouncerChange{}}
}

func (m *memory) UpdateMachines(_ context.Context, changes map[string]store.MachineChange) error {
	time.Sleep(m.slow)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return errors.New("the store is away")
	}
	m.writes++
	maps.Copy(m.machines, changes)
	return nil
}

func (m *memory) UpdateBouncers(_ context.Context, changes map[int64]store.BouncerChange) error {
	time.Sleep(m.slow)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return errors.New("the store is away")
	}
	m.writes++
	maps.Copy(m.bouncers, changes)
	return nil
}

func (m *memory) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// run runs a book until the returned function is called.
func run(t *testing.T, m *memory, log *strings.Builder) (b *presence.Book, stop func()) {
	t.Helper()
	b = presence.New(m, slog.New(slog.NewTextHandler(log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	return b, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestNotesAreWrittenTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		b, stop := run(t, m, &strings.Builder{})
		pushed, beaten := time.Now(), time.Now().Add(time.Second)
		for i := range 1000 {
			b.NoteMachine(fmt.Sprint("m", i%100), store.MachineChange{LastPush: &pushed})
			b.NoteMachine(fmt.Sprint("m", i%100), store.MachineChange{LastHeartbeat: &beaten})
			b.NoteBouncer(int64(i%100), store.BouncerChange{LastPull: &pushed})
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if m.writes != 2 || len(m.machines) != 100 || len(m.bouncers) != 100 {
			t.Errorf("%d writes of %d machines and %d bouncers", m.writes, len(m.machines), len(m.bouncers))
		}
		if change := m.machines["m7"]; change.LastPush != &pushed || change.LastHeartbeat != &beaten {
			t.Errorf("stored %+v", change)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if m.writes != 2 {
			t.Errorf("%d writes of nothing", m.writes-2)
		}
		stop()
	})
}

// TestCursorsDoNotWaitLong, but they leave the store alone for most of the time.
func TestCursorsDoNotWaitLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.slow = 100 * time.Millisecond
		b, stop := run(t, m, &strings.Builder{})
		defer stop()
		synctest.Wait()
		b.NoteBouncer(1, store.BouncerChange{LastPull: new(time.Now()), Cursor: new(int64(0))})
		time.Sleep(250*time.Millisecond + m.slow)
		synctest.Wait()
		if len(m.bouncers) != 1 {
			t.Error("the cursor is not stored")
		}
		for i := range 1000 {
			b.NoteBouncer(1, store.BouncerChange{LastPull: new(time.Now()), Cursor: new(int64(i + 1))})
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if *m.bouncers[1].Cursor != 1000 || m.writes > 30 {
			t.Errorf("cursor %d after %d writes", *m.bouncers[1].Cursor, m.writes)
		}
	})
}

// TestNotesAreKnownAtOnce: before they are stored, while they are, and after that has failed.
func TestNotesAreKnownAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.away, m.slow = true, time.Second
		b := presence.New(m, slog.New(slog.DiscardHandler))
		stored := domain.Bouncer{ID: 7, Name: "b", LastPull: time.Now(), Cursor: 1}
		if got := b.Amend(stored); got.Cursor != 1 || !got.LastPull.Equal(stored.LastPull) {
			t.Errorf("without a note: %+v", got)
		}
		first, second, third := time.Now().Add(time.Second), time.Now().Add(2*time.Second), time.Now().Add(3*time.Second)
		expect := func(when string, cursor int64, pulled time.Time) {
			t.Helper()
			if got := b.Amend(stored); got.Cursor != cursor || !got.LastPull.Equal(pulled) || got.Name != "b" {
				t.Errorf("%s: %+v", when, got)
			}
		}
		b.NoteBouncer(7, store.BouncerChange{LastPull: &first, Cursor: new(int64(5))})
		b.NoteBouncer(7, store.BouncerChange{LastPull: &second})
		expect("noted", 5, second)
		failed := make(chan error, 1)
		go func() { failed <- b.Flush(t.Context()) }()
		synctest.Wait()
		expect("being stored", 5, second)
		b.NoteBouncer(7, store.BouncerChange{LastPull: &third})
		expect("noted meanwhile", 5, third)
		if err := <-failed; err == nil {
			t.Fatal("the store was not away")
		}
		expect("not stored", 5, third)
		m.set(func() { m.away = false })
		if err := b.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if change := m.bouncers[7]; !change.LastPull.Equal(third) || *change.Cursor != 5 {
			t.Errorf("stored %+v", change)
		}
		expect("stored", 1, stored.LastPull)

		b.NoteBouncer(7, store.BouncerChange{LastPull: &first, Cursor: new(int64(6))})
		stored.LastPull, stored.Cursor = third, 9 // at another replica
		expect("heard of elsewhere since", 9, third)
	})
}

func TestStoreThatIsAwayIsMentionedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, log := newMemory(), &strings.Builder{}
		m.away = true
		b, stop := run(t, m, log)
		b.NoteMachine("m", store.MachineChange{LastPush: new(time.Now())})
		time.Sleep(time.Minute)
		m.set(func() { m.away = false })
		time.Sleep(3 * time.Second)
		stop()
		if count := strings.Count(log.String(), "level=WARN"); count != 1 || len(m.machines) != 1 {
			t.Errorf("%d machines stored; log: %s", len(m.machines), log)
		}
		b.NoteMachine("last", store.MachineChange{LastPush: new(time.Now())})
		if err := b.Flush(t.Context()); err != nil || len(m.machines) != 2 {
			t.Errorf("%d machines stored at the end, %v", len(m.machines), err)
		}
	})
}
