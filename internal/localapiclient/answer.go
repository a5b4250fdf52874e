package localapiclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

const maxRetryAfter = 3600 // seconds

// Error is an answer of the Local API that is not a success. It is marked with the fault kind of its status.
type Error struct {
	Status     int           // of HTTP
	Message    string        // the server's, may be empty
	RetryAfter time.Duration // 0: the server does not say
}

// Pause returns how long the server asks to be left alone, 0 if it does not say.
func (e *Error) Pause() time.Duration { return e.RetryAfter }

// Error returns the message in the form that scripts know: "API error: <message>".
func (e *Error) Error() string {
	switch {
	case e.Message == "":
		return fmt.Sprintf("API error: http code %d", e.Status)
	case e.Status == http.StatusUnprocessableEntity:
		return fmt.Sprintf("API error: http code %d, invalid request: %s", e.Status, e.Message)
	}
	return "API error: " + e.Message
}

func refusal(res *http.Response) error {
	var body wire.Message
	// An answer without a readable message still has its status.
	text, _ := io.ReadAll(io.LimitReader(res.Body, maxSmall))
	if json.Unmarshal(text, &body) != nil && strings.Contains(string(text), httpsExpected) {
		body.Message = httpsExpected + "; the url must begin with https://"
	}
	return fault.Mark(kindOfStatus(res.StatusCode), &Error{
		Status: res.StatusCode, Message: body.Message, RetryAfter: retryAfter(res.Header.Get("Retry-After")),
	})
}

// httpsExpected is what Go's servers say to who speaks plain HTTP on a port with TLS.
const httpsExpected = "Client sent an HTTP request to an HTTPS server"

// retryAfter reads the form of Retry-After that Local APIs use.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter)) * time.Second
}

func kindOfStatus(status int) fault.Kind {
	switch status {
	case http.StatusUnauthorized:
		return fault.Unauthorized
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return fault.Unavailable
	case http.StatusInternalServerError: // published for input that the server chokes on, too
		return fault.Internal
	}
	if status >= 400 && status < 500 {
		return fault.Invalid
	}
	return fault.Unavailable
}

// into returns a decoder that reads exactly one JSON document into target, which an answer that breaks off
// leaves as it is.
func into[T any](target *T) func(io.Reader) error {
	return func(r io.Reader) error {
		var document T
		decoder := json.NewDecoder(r)
		if err := decoder.Decode(&document); err != nil {
			return noEOF(err)
		}
		if err := atEnd(decoder); err != nil {
			return err
		}
		*target = document
		return nil
	}
}

// atEnd makes sure that the answer ends here: only then it is known to be whole.
func atEnd(decoder *json.Decoder) error {
	switch _, err := decoder.Token(); {
	case err == nil:
		return errors.New("unexpected data after the answer")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// noEOF keeps an answer that breaks off from looking like the end of something.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func ignoreEOF(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	return fault.Errorf(fault.Unavailable, "reading answer: %w", err)
}
