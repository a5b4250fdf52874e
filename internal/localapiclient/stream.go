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

	Revision int64         // up to which the caller was told; 0: as far as the Local API remembers
	Wait     time.Duration // how long the answer may be held back until there is something to tell, a minute at most
}

// Stream is what a bouncer must begin and cease to enforce.
type Stream struct {
	wire.DecisionsStream

	Endpoint string // URL that it comes from
	Marked   bool   // the Local API says how far it goes, and has been checked to be whole
	Since    int64  // revision that it continues from; 0: it is everything that is active
	Revision int64  // up to which it tells
}

// Stream returns what a bouncer must begin and cease to enforce. A Local API that knows no revisions remembers
// what it has told: from there, an answer that was lost is lost for later calls without Startup.
func (c *Client) Stream(ctx context.Context, query StreamQuery) (Stream, error) {
	var stream Stream
	r := query.request()
	err := c.anywhere(ctx, r, func(ctx context.Context, t try) error {
		told, marks := Stream{Endpoint: t.name}, marks{}
		r.begun = func(h http.Header) { marks = marksOf(h) }
		r.decode = intoStream(&told.DecisionsStream)
		if err := c.send(ctx, t, r, header{"X-Api-Key", c.cfg.APIKey}); err != nil {
			return err
		}
		stream = told
		return marks.apply(&stream)
	})
	if err != nil {
		return Stream{}, err
	}
	return stream, nil
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
		wait: q.Wait, once: !q.Startup && q.Revision == 0,
	}
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

// apply makes sure that the stream is what the marks say; one without all of them is not Marked.
func (m marks) apply(stream *Stream) error {
	if min(m.revision, m.since, m.added, m.deleted) < 0 {
		return nil
	}
	if int64(len(stream.New)) != m.added || int64(len(stream.Deleted)) != m.deleted {
		return fault.Mark(fault.Unavailable, &lostError{fmt.Errorf("%w: %d decisions and %d deletions, of %d and %d",
			ErrNotWhole, len(stream.New), len(stream.Deleted), m.added, m.deleted), true})
	}
	stream.Marked, stream.Since, stream.Revision = true, m.since, m.revision
	return nil
}

// intoStream returns a decoder for the answer of the decision stream. It reads element by element, so that
// a snapshot of a million decisions is never held twice, and it insists on both lists: an answer of
// something else that happens to be JSON must not look like "nothing to enforce".
func intoStream(stream *wire.DecisionsStream) func(io.Reader) error {
	return func(r io.Reader) error {
		decoder := json.NewDecoder(r)
		if err := decodeStream(decoder, stream); err != nil {
			return noEOF(err)
		}
		return atEnd(decoder)
	}
}

func decodeStream(decoder *json.Decoder, stream *wire.DecisionsStream) error {
	if err := expect(decoder, json.Delim('{')); err != nil {
		return err
	}
	seen := map[string]bool{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if seen[name] {
			return fmt.Errorf("%q appears twice", name)
		}
		seen[name] = true
		if err := decodeMember(decoder, name, stream); err != nil {
			return err
		}
	}
	for _, name := range []string{"new", "deleted"} {
		if !seen[name] {
			return fmt.Errorf("no %q in the stream", name)
		}
	}
	return expect(decoder, json.Delim('}'))
}

func decodeMember(decoder *json.Decoder, name string, stream *wire.DecisionsStream) error {
	var err error
	switch name {
	case "new":
		stream.New, err = decodeDecisions(decoder)
	case "deleted":
		stream.Deleted, err = decodeDecisions(decoder)
	default:
		var unknown json.RawMessage
		err = decoder.Decode(&unknown)
	}
	return err
}

// decodeDecisions reads an array, or the null that some servers write for an empty one.
func decodeDecisions(decoder *json.Decoder) ([]wire.Decision, error) {
	switch token, err := decoder.Token(); {
	case err != nil:
		return nil, err
	case token == nil:
		return nil, nil
	case token != json.Delim('['):
		return nil, fmt.Errorf("unexpected %v in the stream", token)
	}
	var decisions []wire.Decision
	repeated := texts{}
	for decoder.More() {
		var decision wire.Decision
		if err := decoder.Decode(&decision); err != nil {
			return nil, err
		}
		repeated.share(&decision)
		decisions = append(decisions, decision)
	}
	return decisions, expect(decoder, json.Delim(']'))
}

// texts are those that occur in many decisions, kept once.
type texts map[string]string

// maxTexts bounds how many are looked for.
const maxTexts = 10_000

func (t texts) share(decision *wire.Decision) {
	for _, field := range []*string{&decision.Origin, &decision.Scenario, &decision.Scope, &decision.Type, &decision.Duration} {
		if known, ok := t[*field]; ok {
			*field = known
		} else if len(t) < maxTexts {
			t[*field] = *field
		}
	}
}

func expect(decoder *json.Decoder, want json.Delim) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("unexpected %v in the stream, want %v", token, want)
	}
	return nil
}
