package remediation

import (
	"context"
	"sync"
)

// heldRequest is a request that the Local API may hold open, and that ends early when there is something to tell it.
type heldRequest struct {
	mu  sync.Mutex // guards end
	end context.CancelFunc
}

// begin returns the context of a request that may be interrupted until settle is called; done is to be called after
// it.
func (h *heldRequest) begin(ctx context.Context) (asking context.Context, done context.CancelFunc) {
	asking, end := context.WithCancel(ctx)
	h.set(end)
	return asking, func() {
		h.settle()
		end()
	}
}

// settle lets the request under way be: its answer has begun.
func (h *heldRequest) settle() { h.set(nil) }

// interrupt ends the request under way, if it may be.
func (h *heldRequest) interrupt() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.end != nil {
		h.end()
	}
}

func (h *heldRequest) set(end context.CancelFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end = end
}
