package dns

import (
	"sync"
	"time"
)

const (
	// maxPatience is for how long in a row anybody waits when nobody had to for a while.
	maxPatience = 4 * time.Second
	// growth is how many times longer patience takes to grow back than to be used up. With 4, those who ask
	// are held up for a fifth of the time at most, whatever the name servers do.
	growth = 4
	// portion is the part of what is left that one who waits may use up, one in so many. It leaves patience
	// for names that can be had although others, of an attacker perhaps, cannot.
	portion = 4
)

// patience bounds the time during which anybody waits. The zero value is full. It counts the time, not the
// waiting: two who wait at once use up no more than one.
type patience struct {
	mu      sync.Mutex
	waiting int
	left    time.Duration
	counted time.Time // when left was true
}

// begin tells how long a wait that begins now may last.
func (p *patience) begin(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(now)
	p.waiting++
	return p.left / portion
}

// end ends a wait.
func (p *patience) end(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(now)
	p.waiting--
}

func (p *patience) count(now time.Time) {
	passed := max(now.Sub(p.counted), 0)
	p.counted = now
	if p.waiting > 0 {
		p.left = max(p.left-passed, 0)
		return
	}
	p.left = min(p.left+passed/growth, maxPatience)
}
