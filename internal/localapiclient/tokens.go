package localapiclient

import (
	"context"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

// tokenMargin is how long a token must still be valid to be used.
const tokenMargin = time.Minute

// tokens keeps the one token that all requests of a client share. Who finds none logs in, the others wait
// for the outcome, each no longer than its own context lasts.
type tokens struct {
	login func(context.Context) (wire.Token, error)
	now   func() time.Time

	turn    chan struct{} // holds one element while somebody owns current
	current wire.Token
}

func newTokens(login func(context.Context) (wire.Token, error), now func() time.Time) *tokens {
	return &tokens{login: login, now: now, turn: make(chan struct{}, 1)}
}

// get returns a token that is not the one that was refused ("" when none was).
func (t *tokens) get(ctx context.Context, refused string) (string, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return "", fault.Mark(fault.Unavailable, context.Cause(ctx))
	}
	defer func() { <-t.turn }()

	if t.current.Token != refused && t.now().Add(tokenMargin).Before(t.current.Expire) {
		return t.current.Token, nil
	}
	token, err := t.login(ctx)
	if err != nil {
		return "", err
	}
	t.current = token
	return token.Token, nil
}
