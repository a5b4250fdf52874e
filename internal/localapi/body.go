package localapi

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"shieldwall/internal/domain/fault"
)

// The largest bodies, after decompression.
const (
	maxAnonymousBody = 2 << 20
	maxBody          = 50 << 20
)

// bodyOf returns the decompressed body of a request; reading more than limit bytes of it fails.
func bodyOf(r *http.Request, limit int64) (io.Reader, error) {
	if r.ContentLength > limit {
		return nil, fault.Mark(fault.TooLarge, &http.MaxBytesError{Limit: limit})
	}
	if r.Header.Get("Content-Encoding") != "gzip" {
		return admitted(r, r.Body, limit), nil
	}
	unpacked, err := gzip.NewReader(r.Body)
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errNotGzip
	}
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	return admitted(r, io.NopCloser(unpacked), limit), nil
}

// The bodies that are large are read a few at a time, so that many of them cannot fill the memory.
const (
	largeBody     = 1 << 20          // bytes after decompression; agents send less, unless after a long outage
	largeAtOnce   = 1                // bodies
	largePatience = 30 * time.Second // to wait for one's turn
)

// admission is the body of a request, and its place among the large ones.
type admission struct {
	io.ReadCloser

	gate   chan struct{} // holds a token for each large body that is being dealt with
	inside bool
}

// admit makes the request wait for its turn, the first time that it is called.
func (a *admission) admit(ctx context.Context) error {
	if a.inside {
		return nil
	}
	patience := time.NewTimer(largePatience)
	defer patience.Stop()
	select {
	case a.gate <- struct{}{}:
		a.inside = true
		return nil
	case <-patience.C:
		return fault.Errorf(fault.Unavailable, "too many large requests at once")
	case <-ctx.Done():
		return fmt.Errorf("waiting to read a large body: %w", ctx.Err())
	}
}

// leave makes room for the next large body, once the request is dealt with. What the body has become is
// given back first: the memory for the next one would come on top of it.
func (a *admission) leave() {
	if a.inside {
		debug.FreeOSMemory()
		<-a.gate
	}
}

// admittedReader asks for admission when it turns out that the body is large.
type admittedReader struct {
	io.Reader

	request *http.Request
	read    int64
}

func admitted(r *http.Request, body io.ReadCloser, limit int64) io.Reader {
	return &admittedReader{Reader: http.MaxBytesReader(nil, body, limit), request: r}
}

// Read implements io.Reader.
func (a *admittedReader) Read(p []byte) (int, error) {
	if body, ok := a.request.Body.(*admission); ok && a.read > largeBody {
		if err := body.admit(a.request.Context()); err != nil {
			return 0, err
		}
	}
	n, err := a.Reader.Read(p)
	a.read += int64(n)
	return n, err
}

// writeJSON answers with a document as published: no newline at the end.
func writeJSON(w http.ResponseWriter, status int, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}

// writeFound answers a read with a document, or a HEAD with nothing.
func writeFound(w http.ResponseWriter, r *http.Request, document any) error {
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusOK)
		return nil
	}
	return writeJSON(w, http.StatusOK, document)
}
