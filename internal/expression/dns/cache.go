package dns

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"shieldwall/internal/expression/cache"
)

const (
	lookupTimeout = 3 * time.Second // published
	maxFlights    = 256             // look-ups at a time
	maxNames      = 64              // remembered of one answer

	// briefTTL is how long what may change soon is remembered: the addresses of names, which may be dynamic,
	// and that a name server failed.
	briefTTL = time.Minute

	complaintInterval = time.Minute
)

var (
	errSlow = errors.New("the name servers did not answer in time")
	errBusy = errors.New("too many name look-ups at a time")
	errNone = errors.New("there is no such name")
)

// Resolver asks name servers; *net.Resolver is one.
type Resolver interface {
	LookupAddr(ctx context.Context, addr string) ([]string, error)
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// Options describe a Cache.
type Options struct {
	TTL         time.Duration // of the names of an address
	NegativeTTL time.Duration // of the answer that an address has none
	Size        int           // answers held at most
	Now         func() time.Time
	Log         *slog.Logger
}

// Cache is a Resolver that remembers. It is safe for concurrent use. The lists that it returns are shared:
// read only. Its goroutines end with their look-ups, after lookupTimeout at the latest.
type Cache struct {
	resolver Resolver
	options  Options
	answers  *cache.Cache[question, answer]
	patience patience

	mu         sync.Mutex
	flights    map[question]*flight
	complained time.Time
}

// question is one look-up.
type question struct {
	reverse bool // the names of an address, not the addresses of a name
	text    string
}

type answer struct {
	texts []string
	err   error
}

// flight is a look-up under way. Its answer may be read when done is closed.
type flight struct {
	done   chan struct{}
	answer answer
}

// NewCache returns a Cache in front of resolver.
func NewCache(resolver Resolver, options Options) *Cache {
	return &Cache{
		resolver: resolver,
		options:  options,
		answers:  cache.New[question, answer](cache.Options{Size: options.Size, Now: options.Now}),
		flights:  map[question]*flight{},
	}
}

// LookupAddr returns the names of an address, as the name server writes them. It may return earlier than
// ctx ends, with an error, when waiting has taken too long lately.
func (c *Cache) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return c.ask(ctx, question{reverse: true, text: addr})
}

// LookupHost returns the addresses of a name; otherwise it is LookupAddr.
func (c *Cache) LookupHost(ctx context.Context, host string) ([]string, error) {
	return c.ask(ctx, question{text: host})
}

func (c *Cache) ask(ctx context.Context, q question) ([]string, error) {
	if known, ok := c.answers.Get(q); ok {
		return known.texts, known.err
	}
	f, err := c.join(ctx, q)
	if err != nil {
		return nil, err
	}
	return c.wait(ctx, q, f)
}

// join returns the look-up of q that is under way, and begins one if there is none.
func (c *Cache) join(ctx context.Context, q question) (*flight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.flights[q]; ok {
		return f, nil
	}
	if len(c.flights) >= maxFlights {
		return nil, errBusy
	}
	f := &flight{done: make(chan struct{})}
	c.flights[q] = f
	go c.fly(context.WithoutCancel(ctx), q, f) // it outlives who asked first: others wait, and will ask
	return f, nil
}

func (c *Cache) fly(ctx context.Context, q question, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	look := c.resolver.LookupHost
	if q.reverse {
		look = c.resolver.LookupAddr
	}
	texts, err := look(ctx, q.text)
	if err == nil && len(texts) == 0 {
		err = errNone
	}
	f.answer = answer{texts[:min(len(texts), maxNames)], err}
	c.answers.PutFor(q, f.answer, c.lifetime(q, err))
	c.mu.Lock()
	delete(c.flights, q)
	c.mu.Unlock()
	close(f.done)
}

func (c *Cache) lifetime(q question, err error) time.Duration {
	switch {
	case err == nil && q.reverse:
		return c.options.TTL
	case err == nil:
		return min(c.options.TTL, briefTTL)
	case q.reverse && isDefinite(err):
		return c.options.NegativeTTL
	}
	return min(c.options.NegativeTTL, briefTTL)
}

// isDefinite tells that there is no such name from not being able to tell.
func isDefinite(err error) bool {
	if errors.Is(err, errNone) {
		return true
	}
	failure, ok := errors.AsType[*net.DNSError](err)
	return ok && failure.IsNotFound
}

func (c *Cache) wait(ctx context.Context, q question, f *flight) ([]string, error) {
	patience := time.NewTimer(c.patience.begin(c.options.Now()))
	defer patience.Stop()
	defer func() { c.patience.end(c.options.Now()) }()
	select {
	case <-f.done:
		return f.answer.texts, f.answer.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-patience.C:
		c.complain(q)
		return nil, errSlow
	}
}

// complain is heard once in a while only: slow name servers are slow for everything.
func (c *Cache) complain(q question) {
	now := c.options.Now()
	c.mu.Lock()
	due := now.Sub(c.complained) >= complaintInterval
	if due {
		c.complained = now
	}
	c.mu.Unlock()
	if due {
		c.options.Log.Warn("name servers are slow, going on without their answers", "question", q.text)
	}
}
