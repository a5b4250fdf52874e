package cache

import (
	"testing"

	"pgregory.net/rapid"
)

// Ghosts are memory too: a cache of n values remembers at most 2n keys.
func TestARCForgets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 5).Draw(t, "size")
		a, resident := newARC[int](size), map[int]bool{}
		for _, key := range rapid.SliceOf(rapid.IntRange(-12, 12)).Draw(t, "keys") {
			switch {
			case key < 0 && resident[-key]:
				a.remove(-key)
				delete(resident, -key)
			case key >= 0 && resident[key]:
				a.hit(key)
			case key >= 0:
				if victim, evicted := a.add(key); evicted {
					delete(resident, victim)
				}
				resident[key] = true
			}
			checkARC(t, a, resident)
		}
	})
}

func checkARC(t *rapid.T, a *arc[int], resident map[int]bool) {
	t.Helper()
	once, often := a.once.len()+a.onceGhosts.len(), a.often.len()+a.oftenGhosts.len()
	if once > a.size || once+often > 2*a.size || len(resident) > a.size {
		t.Fatalf("size %d: once %d, often %d, resident %d", a.size, once, often, len(resident))
	}
	if a.once.len()+a.often.len() != len(resident) {
		t.Fatalf("queues hold %d and %d of %v", a.once.len(), a.often.len(), resident)
	}
	for key := range resident {
		if !a.once.has(key) && !a.often.has(key) {
			t.Fatalf("%d is lost", key)
		}
	}
}
