package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"shieldwall/internal/domain/fault"
)

// PublicHub is the template of the hub that everybody uses.
const PublicHub = "https://cdn-hub.crowdsec.net/crowdsecurity/%s/%s"

const (
	shelfLife   = 7 * 24 * time.Hour // of a data file whose server does not say when it has changed
	patience    = 30 * time.Second   // with a server that sends nothing
	firstPause  = 500 * time.Millisecond
	maxAttempts = 3
)

// ServerConfig says how to reach a hub.
type ServerConfig struct {
	Template    string // URL with two %s: the branch and the path
	Branch      string
	WithContent bool // ask for an index that has the items inside
	UserAgent   string
	Once        bool // do not try again
	Client      *http.Client
	Now         func() time.Time
}

// Server is a hub on a web server. It is used by one goroutine.
type Server struct {
	config   ServerConfig
	manifest Manifest // nil: not asked for yet
}

// NewServer refuses a template that is none.
func NewServer(config ServerConfig) (*Server, error) {
	if strings.Count(config.Template, "%s") != 2 || strings.Count(config.Template, "%") != 2 {
		return nil, fault.Errorf(fault.Invalid, "invalid hub url template '%s': it needs %%s twice, for branch and path", config.Template)
	}
	return &Server{config: config}, nil
}

// String names the server.
func (s *Server) String() string {
	parsed, err := url.Parse(s.url(""))
	if err != nil {
		return s.config.Template
	}
	return parsed.Redacted()
}

func (s *Server) url(path string) string {
	return fmt.Sprintf(s.config.Template, s.config.Branch, path)
}

// Index returns the text of the index, nil when its hex SHA-256 is digest. An unreachable server is of kind
// fault.Unavailable.
func (s *Server) Index(ctx context.Context, digest string) (text []byte, err error) {
	at := s.url(IndexName)
	if s.config.WithContent {
		at += "?with_content=true"
	}
	header := http.Header{}
	if digest != "" {
		header.Set("If-None-Match", `"`+digest+`"`)
	}
	err = s.get(ctx, at, header, func(response *http.Response) (err error) {
		if response.StatusCode == http.StatusNotModified {
			text = nil
			return nil
		}
		text, err = bounded(response.Body, maxIndex, "the hub index")
		return err
	})
	return text, err
}

// Item returns the file at path.
func (s *Server) Item(ctx context.Context, path string) (text []byte, err error) {
	err = s.get(ctx, s.url(path), nil, func(response *http.Response) (err error) {
		text, err = bounded(response.Body, maxItem, path)
		return err
	})
	return text, err
}

// Data calls save with a data file unless the copy that is held will do. When the transfer fails it may call it again. A
// mirror has the data files, too; other hubs name their places.
func (s *Server) Data(ctx context.Context, file File, held Held, save func(Body) error) error {
	if err := s.askManifest(ctx); err != nil {
		return err
	}
	if mirrored, ok := s.manifest[file.URL]; ok {
		return s.mirrored(ctx, mirrored, held, save)
	}
	header := http.Header{}
	if !held.Modified.IsZero() {
		header.Set("If-Modified-Since", held.Modified.UTC().Format(http.TimeFormat))
	}
	return s.get(ctx, file.URL, header, func(response *http.Response) error {
		modified, _ := http.ParseTime(response.Header.Get("Last-Modified"))
		if response.StatusCode == http.StatusNotModified || s.fresh(held.Modified, modified) {
			return nil
		}
		return save(Body{Reader: &capped{response.Body, maxData, file.URL}, Modified: modified})
	})
}

// fresh reports whether a copy of one time is good enough, given when the server has changed the file.
func (s *Server) fresh(held, modified time.Time) bool {
	if held.IsZero() {
		return false
	}
	if modified.IsZero() {
		return s.config.Now().Sub(held) < shelfLife
	}
	return !modified.After(held)
}

func (s *Server) mirrored(ctx context.Context, file Mirrored, held Held, save func(Body) error) error {
	if same, err := held.unchanged(file.Digest); same || err != nil {
		return err
	}
	return s.get(ctx, s.url(file.Path), nil, func(response *http.Response) error {
		return save(Body{Reader: &capped{response.Body, maxData, file.Path}, Modified: file.Modified, Digest: file.Digest})
	})
}

// askManifest asks once, and not the public hub, which is no mirror.
func (s *Server) askManifest(ctx context.Context) error {
	if s.manifest != nil || s.config.Template == PublicHub {
		return nil
	}
	err := s.get(ctx, s.url(ManifestName), nil, func(response *http.Response) error {
		text, err := bounded(response.Body, maxManifest, ManifestName)
		if err != nil {
			return err
		}
		s.manifest, err = DecodeManifest(text)
		return err
	})
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) {
		s.manifest, err = Manifest{}, nil
	}
	return err
}

// get hands the answer to use. A server that is away or breaks off is asked again a moment later.
func (s *Server) get(ctx context.Context, at string, header http.Header, use func(*http.Response) error) error {
	for attempt, pause := 1, firstPause; ; attempt, pause = attempt+1, 2*pause {
		err := s.once(ctx, at, header, use)
		if err == nil || !fault.Is(err, fault.Unavailable) || attempt == maxAttempts || s.config.Once {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

func (s *Server) once(ctx context.Context, at string, header http.Header, use func(*http.Response) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(patience, func() { cancel(fmt.Errorf("no answer for %s", patience)) })
	defer silence.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return fault.Mark(fault.Invalid, err)
	}
	for key, values := range header {
		request.Header[key] = values
	}
	request.Header.Set("User-Agent", s.config.UserAgent)
	response, err := s.config.Client.Do(request)
	if err != nil {
		return fault.Mark(fault.Unavailable, because(ctx, err))
	}
	body := &transfer{response.Body, silence, nil}
	response.Body = body
	defer response.Body.Close() //nolint:errcheck // only read
	if err := accepted(at, response, header); err != nil {
		return err
	}
	if err := use(response); err != nil {
		if body.failed != nil {
			return fault.Errorf(fault.Unavailable, "get %q: %w", at, because(ctx, err))
		}
		return err
	}
	return nil
}

// because prefers why a request was canceled over that it was.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}

func accepted(at string, response *http.Response, header http.Header) error {
	kind := fault.Internal
	switch status := response.StatusCode; {
	case status == http.StatusOK, status == http.StatusNotModified && len(header) > 0:
		return nil
	case status == http.StatusNotFound, status == http.StatusGone:
		kind = fault.NotFound
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		kind = fault.Forbidden
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
		kind = fault.Unavailable
	}
	return fault.Errorf(kind, "get %q: the server answers %s", at, response.Status)
}

// transfer is a body that knows whether it broke off, and gives the server new patience with every piece.
type transfer struct {
	io.ReadCloser

	silence *time.Timer
	failed  error
}

// Read reads on.
func (t *transfer) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if n > 0 {
		t.silence.Reset(patience)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		t.failed = err
	}
	return n, err
}
