package localapiclient

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"shieldwall/internal/domain/fault"
)

// endpoint is one of the URLs of a Local API.
type endpoint struct {
	index  int    // in the list
	name   string // to show
	base   *url.URL
	http   *http.Client
	way    *transport // of http
	tokens *tokens
	stays  bool // requests do not leave this machine
	waits  waits
}

func newEndpoint(cfg Config, text string, log *slog.Logger) (*endpoint, error) {
	base, socket, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	if cfg.PinnedCA != nil && base.Scheme != "https" {
		return nil, fault.Errorf(fault.Invalid, "parsing api url: %q must begin with https://", text)
	}
	transport, err := newTransport(cfg, base.Hostname(), socket, log)
	if err != nil {
		return nil, err
	}
	return &endpoint{
		name:  nameOf(base, socket),
		way:   transport,
		base:  base,
		http:  &http.Client{Transport: transport, Timeout: cfg.Timeout, CheckRedirect: stayOnHost},
		stays: staysOnHost(base, socket),
	}, nil
}

var (
	// errSlow ends an attempt whose answer did not begin in time, while there is somebody else to ask.
	errSlow = errors.New("no answer in time")
	// errUnwell ends attempts whose endpoint does not answer the question how it is either.
	errUnwell = errors.New("no answer, not even to a health check")
)

// waits are the requests at an endpoint whose answers have not begun.
type waits struct {
	mu   sync.Mutex // guards all below
	next int
	ends map[int]context.CancelCauseFunc
}

// begin notes a request that end can end. The caller calls what it returns when its answer begins.
func (w *waits) begin(end context.CancelCauseFunc) (begun func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ends == nil {
		w.ends = map[int]context.CancelCauseFunc{}
	}
	number := w.next
	w.next++
	w.ends[number] = end
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.ends, number)
	}
}

// any reports whether somebody waits.
func (w *waits) any() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.ends) > 0
}

// end ends all requests that wait.
func (w *waits) end(reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, end := range w.ends {
		end(reason)
	}
}
