package localapi

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
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
		return http.MaxBytesReader(nil, r.Body, limit), nil
	}
	unpacked, err := gzip.NewReader(r.Body)
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errNotGzip
	}
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	return http.MaxBytesReader(nil, unpacked, limit), nil
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

func writeDeleted(w http.ResponseWriter, count int) error {
	return writeJSON(w, http.StatusOK, wire.Deleted{NbDeleted: strconv.Itoa(count)})
}
