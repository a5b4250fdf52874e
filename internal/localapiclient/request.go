package localapiclient

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

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

	decode  func(io.Reader) error // reads the answer; nil: it has no body of interest
	maxSize int64                 // bytes of the answer, decompressed
}

func (r request) url(base *url.URL) string {
	target := base.JoinPath("v1").JoinPath(r.path...)
	target.RawQuery = r.query.Encode()
	return target.String()
}

type header struct{ name, value string }

func bearer(token string) header { return header{"Authorization", "Bearer " + token} }

// send performs r once, with proof unless its value is empty.
func (c *Client) send(ctx context.Context, r request, proof header) error {
	req, err := c.encode(ctx, r)
	if err != nil {
		return err
	}
	if proof.value != "" {
		req.Header.Set(proof.name, proof.value)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fault.Mark(fault.Unavailable, err) // names method and URL itself
	}
	defer func() { _ = res.Body.Close() }()
	c.log.DebugContext(ctx, "local api request", "method", r.method, "path", req.URL.Path, "status", res.StatusCode)
	return receive(r, res)
}

func (c *Client) encode(ctx context.Context, r request) (*http.Request, error) {
	body, compressed, err := c.encodeBody(r.body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url(c.base), bytes.NewReader(body))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "building request: %w", err)
	}
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	req.Header.Set("Accept", "application/json")
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
func (c *Client) encodeBody(value any) (body []byte, compressed bool, err error) {
	if value == nil {
		return nil, false, nil
	}
	plain, done := value.(encoded)
	if !done {
		if plain, err = json.Marshal(value); err != nil {
			return nil, false, fault.Errorf(fault.Invalid, "encoding request: %w", err)
		}
	}
	if len(plain) <= compressAbove || c.stays {
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
	if r.decode == nil {
		_, err := io.CopyN(io.Discard, res.Body, maxDrain)
		return ignoreEOF(err)
	}
	if err := r.decode(http.MaxBytesReader(nil, res.Body, r.maxSize)); err != nil {
		return fault.Errorf(kindOfDecoding(err), "decoding answer to %s %s: %w", r.method, res.Request.URL.Path, err)
	}
	return nil
}
