package localapiclient

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"shieldwall/internal/domain/fault"
)

const (
	compressAbove = 5120      // bytes of a request body
	maxSmall      = 1 << 20   // bytes of an answer that is one object
	maxList       = 512 << 20 // bytes of an answer that grows with the number of alerts or decisions
	maxDrain      = 64 << 10  // bytes read from a finished answer to keep its connection
)

// request is one call of the Local API, without the proof of who is calling.
type request struct {
	method string
	path   []string // below /v1, each element escaped
	query  url.Values
	body   any // encoded as JSON, unless it is of type encoded; nil: none

	begun   func(http.Header)     // looks at the beginning of the answer, if not nil
	decode  func(io.Reader) error // reads the answer; nil: it has no body of interest
	maxSize int64                 // bytes of the answer, decompressed

	said header // with the request, unless its value is empty

	wait time.Duration // the answer may take so much longer to begin
	once bool          // it must not be sent again when it may have had its effect
}

func (r request) url(base *url.URL) string {
	target := base.JoinPath("v1").JoinPath(r.path...)
	target.RawQuery = r.query.Encode()
	return target.String()
}

type header struct{ name, value string }

func bearer(token string) header { return header{"Authorization", "Bearer " + token} }

// send performs r once, with proof unless its value is empty.
func (c *Client) send(ctx context.Context, t try, r request, proof header) error {
	attempt, end := context.WithCancelCause(ctx)
	defer end(nil)
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	req, err := c.encode(httptrace.WithClientTrace(attempt, trace), t.endpoint, r)
	if err != nil {
		return err
	}
	if proof.value != "" {
		req.Header.Set(proof.name, proof.value)
	}
	res, err := t.exchange(req, end)
	if err != nil {
		if ended := context.Cause(attempt); ended != nil && ctx.Err() == nil {
			err = fmt.Errorf("%s %q: %w", r.method, req.URL, ended)
		}
		return fault.Mark(fault.Unavailable, &lostError{err, sent.Load()}) // names method and URL itself
	}
	defer func() { _ = res.Body.Close() }()
	c.log.DebugContext(ctx, "local api request", "method", r.method, "path", req.URL.Path, "status", res.StatusCode)
	return t.blameCertificate(res, receive(r, res))
}

// exchange returns when the answer begins, or when whatever ends the attempt calls end.
func (t try) exchange(req *http.Request, end context.CancelCauseFunc) (*http.Response, error) {
	defer t.waits.begin(end)()
	if t.patience > 0 {
		timer := time.AfterFunc(t.patience, func() { end(errSlow) })
		defer timer.Stop()
	}
	return t.http.Do(req)
}

func (c *Client) encode(ctx context.Context, e *endpoint, r request) (*http.Request, error) {
	body, compressed, err := e.encodeBody(r.body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url(e.base), bytes.NewReader(body))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "building request: %w", err)
	}
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	req.Header.Set("Accept", "application/json")
	if r.said.value != "" {
		req.Header.Set(r.said.name, r.said.value)
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if compressed {
		req.Header.Set("Content-Encoding", "gzip")
	}
	return req, nil
}

// encoded is JSON already.
type encoded []byte

// encodeBody compresses what is large, but not for a way that has no bottleneck.
func (e *endpoint) encodeBody(value any) (body []byte, compressed bool, err error) {
	if value == nil {
		return nil, false, nil
	}
	plain, done := value.(encoded)
	if !done {
		if plain, err = json.Marshal(value); err != nil {
			return nil, false, fault.Errorf(fault.Invalid, "encoding request: %w", err)
		}
	}
	if len(plain) <= compressAbove || e.stays {
		return plain, false, nil
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(plain); err != nil {
		return nil, false, fmt.Errorf("compressing request: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, false, fmt.Errorf("compressing request: %w", err)
	}
	return packed.Bytes(), true, nil
}

// receive turns the answer to r into an error, or hands it to the decoder.
func receive(r request, res *http.Response) error {
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return refusal(res)
	}
	if r.begun != nil {
		r.begun(res.Header)
	}
	if r.decode == nil {
		_, err := io.CopyN(io.Discard, res.Body, maxDrain)
		return ignoreEOF(err)
	}
	err := r.decode(http.MaxBytesReader(nil, res.Body, r.maxSize))
	if err == nil {
		return nil
	}
	err = fmt.Errorf("decoding answer to %s %s: %w", r.method, res.Request.URL.Path, err)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.Mark(fault.TooLarge, err)
	}
	return fault.Mark(fault.Unavailable, &lostError{err, true})
}
