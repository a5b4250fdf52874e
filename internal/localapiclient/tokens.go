package localapiclient

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

const (
	// tokenMargin is how long a token must still be valid to be used.
	tokenMargin = time.Minute
	// firstPause and lastPause bound how long a refused login is not tried again.
	firstPause = 5 * time.Second
	lastPause  = time.Minute
)

// latestToken is the last token that any endpoint has given out. Replicas share the key that signs tokens, so
// who fails over needs no login, and a replica that has died does not make all its machines log in at once at
// the one that is left.
type latestToken = atomic.Pointer[wire.Token]

// tokens keeps the one token that all requests to an endpoint share. Who finds none logs in, the others wait
// for the outcome, each no longer than its own context lasts. A login that was refused is not tried again for
// a while, whoever asks: a Local API bounds the failures of an address, which others may share.
type tokens struct {
	latest *latestToken
	now    func() time.Time

	turn    chan struct{} // holds one element while somebody owns what follows
	current wire.Token
	refused error // the last login was, nil if not
	pause   time.Duration
	until   time.Time // no login before
}

func newTokens(latest *latestToken, now func() time.Time) *tokens {
	return &tokens{latest: latest, now: now, turn: make(chan struct{}, 1)}
}

// rememberedError is the refusal of an earlier login, for a request that has not asked again.
type rememberedError struct{ err error }

func (e *rememberedError) Error() string { return e.err.Error() }

func (e *rememberedError) Unwrap() error { return e.err }

// get returns a token that is not the one that was refused ("" when none was), if need be from login.
func (t *tokens) get(ctx context.Context, refused string, login func(context.Context) (wire.Token, error)) (string, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return "", fault.Mark(fault.Unavailable, context.Cause(ctx))
	}
	defer func() { <-t.turn }()

	if t.current.Token != refused && t.lasts(t.current) {
		return t.current.Token, nil
	}
	if other := t.latest.Load(); refused == "" && other != nil && t.lasts(*other) {
		t.current = *other
		return other.Token, nil
	}
	if t.refused != nil && t.now().Before(t.until) {
		return "", &rememberedError{t.refused}
	}
	token, err := login(ctx)
	t.note(err)
	if err != nil {
		return "", err
	}
	t.current = token
	t.latest.Store(&token)
	return token.Token, nil
}

func (t *tokens) lasts(token wire.Token) bool { return t.now().Add(tokenMargin).Before(token.Expire) }

// Token returns the token with which the machine is logged in now, "" when it is not; it does not wait for a login.
func (c *Client) Token() string {
	tokens := c.active().tokens
	if token := tokens.latest.Load(); token != nil && tokens.lasts(*token) {
		return token.Token
	}
	return ""
}

// note decides when to try the next login. Errors that have nothing to do with who logs in are for callers
// to wait for.
func (t *tokens) note(err error) {
	var answer *Error
	if !errors.As(err, &answer) || !isRefusedLogin(answer.Status) {
		t.refused, t.pause = nil, 0
		return
	}
	t.refused, t.pause = err, min(max(2*t.pause, firstPause), lastPause)
	t.until = t.now().Add(max(t.pause, answer.RetryAfter))
}

func isRefusedLogin(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusTooManyRequests
}
