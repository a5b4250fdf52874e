package localapiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

// ErrNotWhole is the reason why an answer of the stream is not used that is not what its marks say.
var ErrNotWhole = errors.New("the stream is not whole")

// StreamQuery selects what a stream tells; fields that are zero select all.
type StreamQuery struct {
	Startup                bool     // everything that is active, instead of what changed since the last call
	Scopes                 []string // none: Ip and Range
	Origins                []string
	ScenariosContaining    []string
	ScenariosNotContaining []string

	// What follows is heeded by a Local API whose answers are Marked.

	Revision int64          // up to which the caller was told; 0: as far as the Local API remembers
	Wait     time.Duration  // how long the answer may be held back until there is something to tell, a minute at most
	Standing *wire.Standing // what became of what was told; nil: nothing is said
}

// Stream says of an answer how far it goes.
type Stream struct {
	Endpoint string // URL that it comes from
	Marked   bool   // the Local API says how far it goes
	Since    int64  // revision that it continues from; 0: it is everything that is active
	Revision int64  // up to which it tells
}

// Stream shows what a bouncer must begin and cease to enforce to the visitor that open returns, decision by decision
// as they arrive. Open is called when an answer begins, again when another endpoint answers instead. What a visitor
// has seen counts only when there is no error: then the answer was whole, and is what its marks say. A Local API
// that knows no revisions remembers what it has told: from there, an answer that was lost is lost for later calls
// without Startup.
func (c *Client) Stream(
	ctx context.Context, query StreamQuery, open func(Stream) wire.StreamVisitor,
) (stream Stream, err error) {
	r := query.request()
	err = c.anywhere(ctx, r, func(ctx context.Context, t try) error {
		var told marks
		stream = Stream{Endpoint: t.name}
		r.begun = func(h http.Header) {
			told = marksOf(h)
			told.apply(&stream)
		}
		seen := &counter{}
		r.decode = func(body io.Reader) error {
			seen.StreamVisitor = open(stream)
			return wire.VisitStream(body, seen)
		}
		if err := c.send(ctx, t, r, header{"X-Api-Key", c.cfg.APIKey}); err != nil {
			return err
		}
		return told.check(seen)
	})
	if err != nil {
		return Stream{}, err
	}
	return stream, nil
}

// counter counts what it passes on.
type counter struct {
	wire.StreamVisitor

	begun, ceased int64
}

// Begin implements wire.StreamVisitor.
func (c *counter) Begin(decision *wire.Decision) {
	c.begun++
	c.StreamVisitor.Begin(decision)
}

// Cease implements wire.StreamVisitor.
func (c *counter) Cease(decision *wire.Decision) {
	c.ceased++
	c.StreamVisitor.Cease(decision)
}

func (q StreamQuery) request() request {
	p := params{}
	p.flag(q.Startup, "startup", "true")
	p.list("scopes", q.Scopes)
	p.list("origins", q.Origins)
	p.list("scenarios_containing", q.ScenariosContaining)
	p.list("scenarios_not_containing", q.ScenariosNotContaining)
	p.flag(q.Revision > 0 && !q.Startup, "revision", strconv.FormatInt(q.Revision, 10))
	p.duration("wait", q.Wait)
	return request{
		method: http.MethodGet, path: []string{"decisions", "stream"}, query: url.Values(p), maxSize: maxList,
		wait: q.Wait, once: !q.Startup && q.Revision == 0, said: q.said(),
	}
}

// said is the header that says what became of what was told.
func (q StreamQuery) said() header {
	if q.Standing == nil {
		return header{}
	}
	text, err := json.Marshal(q.Standing)
	if err == nil {
		_, err = wire.DecodeStanding(string(text))
	}
	if err != nil { // it would be refused: the decisions are more important
		return header{}
	}
	return header{wire.StandingHeader, string(text)}
}

// marks are what a Local API says about an answer, each -1 when it does not.
type marks struct{ revision, since, added, deleted int64 }

func marksOf(h http.Header) marks {
	number := func(name string) int64 {
		value, err := strconv.ParseInt(h.Get("X-Shieldwall-"+name), 10, 64)
		if err != nil || value < 0 {
			return -1
		}
		return value
	}
	return marks{revision: number("Revision"), since: number("Since"), added: number("New"), deleted: number("Deleted")}
}

// complete reports whether all marks are there; an answer without one of them is not Marked.
func (m marks) complete() bool { return min(m.revision, m.since, m.added, m.deleted) >= 0 }

func (m marks) apply(stream *Stream) {
	if m.complete() {
		stream.Marked, stream.Since, stream.Revision = true, m.since, m.revision
	}
}

// check makes sure that what was seen is what the marks say.
func (m marks) check(seen *counter) error {
	if !m.complete() || seen.begun == m.added && seen.ceased == m.deleted {
		return nil
	}
	return fault.Mark(fault.Unavailable, &lostError{fmt.Errorf("%w: %d decisions and %d deletions, of %d and %d",
		ErrNotWhole, seen.begun, seen.ceased, m.added, m.deleted), true})
}
