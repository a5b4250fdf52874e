package localapiclient

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

// Config says where the Local API is and who is calling.
type Config struct {
	URL       URLs
	UserAgent string // "name/version": the Local API refuses the login of any other form

	Login    string // machine; empty with a client certificate
	Password string
	APIKey   string // bouncer; empty with a client certificate

	// RegistrationToken lets a machine whose login is refused register again, in case its entry is gone.
	// Empty: it does not.
	RegistrationToken string

	// Scenarios returns what to announce at login. Nil announces nothing.
	Scenarios func() []string

	Timeout            time.Duration // of one request with its answer; 0: none but the context's
	InsecureSkipVerify bool          // accept any server certificate
	CACert             string        // path of PEM certificates to trust besides the system's; may change
	Cert, Key          string        // paths of the client certificate; may change
	PinnedCA           []byte        // SHA-256 of the one authority to trust, instead of all others; nil: none

	Patience   time.Duration // for an answer to begin while another URL is left to try; 0: 10 seconds
	ProbeEvery time.Duration // between two looks of Watch; 0: 5 seconds

	Now    func() time.Time // clock for tokens and for the choice between URLs; nil: time.Now
	Random func() float64   // in [0,1), for jitter; nil: math/rand
}

const (
	defaultPatience   = 10 * time.Second
	defaultProbeEvery = 5 * time.Second
)

// Client talks to one Local API, at one of several URLs. It is safe for concurrent use.
type Client struct {
	cfg       Config
	log       *slog.Logger
	endpoints []*endpoint // as cfg.URL

	mu     sync.Mutex // guards choice
	choice endpoints
}

// New makes a client; nothing is sent. Errors are about the URLs and the certificate files (Invalid).
func New(cfg Config, log *slog.Logger) (*Client, error) {
	if err := cfg.URL.check(); err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg.withDefaults(), log: log, choice: newEndpoints(len(cfg.URL))}
	latest := &latestToken{}
	for i, url := range cfg.URL {
		e, err := newEndpoint(c.cfg, url, log)
		if err != nil {
			return nil, err
		}
		e.index, e.tokens = i, newTokens(latest, c.cfg.Now)
		c.endpoints = append(c.endpoints, e)
	}
	return c, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.Patience == 0 {
		cfg.Patience = defaultPatience
	}
	if cfg.ProbeEvery == 0 {
		cfg.ProbeEvery = defaultProbeEvery
	}
	return cfg
}

// URL returns the base URL of the requests to come; it ends with a slash. For a unix socket the host is
// "unix".
func (c *Client) URL() string { return c.active().base.String() }

// Close closes idle connections. Requests under way are not disturbed.
func (c *Client) Close() {
	for _, e := range c.endpoints {
		e.http.CloseIdleConnections()
	}
}

// asMachine sends r with the machine's token, a second time with a fresh one when the first was refused.
func (c *Client) asMachine(ctx context.Context, r request) error {
	return c.anywhere(ctx, r, func(ctx context.Context, t try) error {
		token, err := c.machineToken(ctx, t, r, "")
		if err != nil {
			return err
		}
		err = c.send(ctx, t, r, bearer(token))
		if !isRefused(err) {
			return err
		}
		if token, err = c.machineToken(ctx, t, r, token); err != nil {
			return err
		}
		return c.send(ctx, t, r, bearer(token))
	})
}

func isRefused(err error) bool {
	return fault.Is(err, fault.Unauthorized) || fault.Is(err, fault.Forbidden)
}

func (c *Client) machineToken(ctx context.Context, t try, r request, refused string) (string, error) {
	token, err := t.tokens.get(ctx, refused, func(ctx context.Context) (wire.Token, error) { return c.enter(ctx, t) })
	if err != nil {
		method := r.method[:1] + strings.ToLower(r.method[1:])
		return "", fmt.Errorf("performing request: %s %q: could not get jwt token: %w", method, r.url(t.base), err)
	}
	return token, nil
}

// asBouncer sends r with the bouncer's key.
func (c *Client) asBouncer(ctx context.Context, r request) error {
	return c.asAnybody(ctx, r, header{"X-Api-Key", c.cfg.APIKey})
}

// asAnybody sends r with a proof that is the same everywhere, if any.
func (c *Client) asAnybody(ctx context.Context, r request, proof header) error {
	return c.anywhere(ctx, r, func(ctx context.Context, t try) error { return c.send(ctx, t, r, proof) })
}
