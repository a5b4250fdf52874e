package localapiclient

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"shieldwall/internal/domain/fault"
)

// Config says where the Local API is and who is calling.
type Config struct {
	URL       string // "http://…", "https://…" or the absolute path of a unix socket
	UserAgent string // "name/version": the Local API refuses the login of any other form

	Login    string // machine; empty with a client certificate
	Password string
	APIKey   string // bouncer; empty with a client certificate

	// Scenarios returns what to announce at login. Nil announces nothing.
	Scenarios func() []string

	Timeout            time.Duration // of one request with its answer; 0: none but the context's
	InsecureSkipVerify bool          // accept any server certificate
	CACert             string        // path of PEM certificates to trust besides the system's; may change
	Cert, Key          string        // paths of the client certificate; may change

	Now func() time.Time // clock for the expiry of tokens; nil: time.Now
}

// Client talks to one Local API. It is safe for concurrent use.
type Client struct {
	cfg    Config
	base   *url.URL
	http   *http.Client
	tokens *tokens
	log    *slog.Logger
	stays  bool // requests do not leave this machine
}

// New makes a client; nothing is sent. Errors are about the URL and the certificate files (Invalid).
func New(cfg Config, log *slog.Logger) (*Client, error) {
	base, socket, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	transport, err := newTransport(cfg, socket, log)
	if err != nil {
		return nil, err
	}
	c := &Client{
		cfg:   cfg,
		base:  base,
		http:  &http.Client{Transport: transport, Timeout: cfg.Timeout, CheckRedirect: stayOnHost},
		log:   log,
		stays: staysOnHost(base, socket),
	}
	c.tokens = newTokens(c.Login, cfg.Now)
	return c, nil
}

// URL returns the base URL of all requests; it ends with a slash. For a unix socket the host is "unix".
func (c *Client) URL() string { return c.base.String() }

// Close closes idle connections. Requests under way are not disturbed.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// parseURL returns the base of all request URLs, and the path of the unix socket if text is one.
func parseURL(text string) (base *url.URL, socket string, err error) {
	if strings.HasPrefix(text, "/") {
		return &url.URL{Scheme: "http", Host: "unix", Path: "/"}, text, nil
	}
	base, err = url.Parse(text)
	if err != nil {
		return nil, "", fault.Errorf(fault.Invalid, "parsing api url: %w", err)
	}
	if base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, "", fault.Errorf(fault.Invalid, "parsing api url: %q is neither a http(s) URL nor a socket path", text)
	}
	return base.JoinPath("/"), "", nil
}

// staysOnHost reports whether requests do not leave this machine.
func staysOnHost(base *url.URL, socket string) bool {
	address, err := netip.ParseAddr(base.Hostname())
	return socket != "" || base.Hostname() == "localhost" || err == nil && address.IsLoopback()
}

// asMachine sends r with the machine's token, a second time with a fresh one when the first was refused.
func (c *Client) asMachine(ctx context.Context, r request) error {
	token, err := c.machineToken(ctx, r, "")
	if err != nil {
		return err
	}
	err = c.send(ctx, r, bearer(token))
	if !fault.Is(err, fault.Unauthorized) && !fault.Is(err, fault.Forbidden) {
		return err
	}
	if token, err = c.machineToken(ctx, r, token); err != nil {
		return err
	}
	return c.send(ctx, r, bearer(token))
}

func (c *Client) machineToken(ctx context.Context, r request, refused string) (string, error) {
	token, err := c.tokens.get(ctx, refused)
	if err != nil {
		method := r.method[:1] + strings.ToLower(r.method[1:])
		return "", fmt.Errorf("performing request: %s %q: could not get jwt token: %w", method, r.url(c.base), err)
	}
	return token, nil
}

// asBouncer sends r with the bouncer's key.
func (c *Client) asBouncer(ctx context.Context, r request) error {
	return c.send(ctx, r, header{"X-Api-Key", c.cfg.APIKey})
}
