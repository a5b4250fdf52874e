package items

import (
	"context"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub/installer"
	"shieldwall/internal/hub/source"
)

// lazy is the configured hub, opened when something of it is needed: what comes with this program, and items that are in the
// index, install without it.
type lazy struct {
	session *session.Session
	opened  installer.Source
	close   func() error
}

func lazily(s *session.Session) *lazy {
	return &lazy{session: s, close: func() error { return nil }}
}

func (l *lazy) open() (installer.Source, error) {
	if l.opened != nil {
		return l.opened, nil
	}
	opened, closeIt, err := Remote(l.session, false)
	if err != nil {
		return nil, err
	}
	l.opened, l.close = opened, closeIt
	return opened, nil
}

func (l *lazy) String() string { return "the hub" }

func (l *lazy) Index(ctx context.Context, digest string) ([]byte, error) {
	opened, err := l.open()
	if err != nil {
		return nil, err
	}
	return opened.Index(ctx, digest)
}

func (l *lazy) Item(ctx context.Context, path string) ([]byte, error) {
	opened, err := l.open()
	if err != nil {
		return nil, err
	}
	return opened.Item(ctx, path)
}

func (l *lazy) Data(ctx context.Context, file source.File, held source.Held, save func(source.Body) error) error {
	opened, err := l.open()
	if err != nil {
		return err
	}
	return opened.Data(ctx, file, held, save)
}
