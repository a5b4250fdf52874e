package localapi

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/wire"
)

// errNotGzip is a body that is not what its Content-Encoding says. It is answered without a message.
var errNotGzip = errors.New("the body is not gzip")

// retryAfter is when to try again what is unavailable, in seconds.
const retryAfter = "5"

// statusOf is the one table from errors to statuses.
func statusOf(err error) int {
	var (
		incomplete *wire.ValidationError
		refusal    *auth.RefusalError
	)
	switch {
	case errors.As(err, &refusal) && refusal.Reason == auth.ReasonTooMany:
		return http.StatusTooManyRequests
	case errors.As(err, &incomplete):
		return http.StatusUnprocessableEntity
	case errors.Is(err, errNotGzip):
		return http.StatusBadRequest
	case isInterrupted(err):
		return http.StatusServiceUnavailable
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.TooLarge: // a body that is too large is published as 400
		return http.StatusBadRequest
	case fault.Unauthorized:
		return http.StatusUnauthorized
	case fault.Forbidden, fault.Exists: // a name that is taken is published as 403
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

func isInterrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// messageOf returns what a client may know about err, "" for nothing at all.
func messageOf(err error, status int) string {
	var tooLarge *http.MaxBytesError
	switch {
	case status == http.StatusServiceUnavailable:
		return "the service is unavailable, try again later"
	case status >= http.StatusInternalServerError:
		return "internal error"
	case errors.Is(err, errNotGzip):
		return ""
	case errors.As(err, &tooLarge):
		return tooLarge.Error()
	}
	return err.Error()
}

func writeError(w http.ResponseWriter, err error) {
	status := statusOf(err)
	body := wire.Message{Message: messageOf(err, status)}
	var refusal *auth.RefusalError
	if errors.As(err, &refusal) && refusal.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(refusal.RetryAfter.Seconds()))))
	}
	if refusal != nil && refusal.Certificate != nil { // its owner may know: he is who can do something about it
		w.Header().Set(wire.RefusalHeader, cmp.Or(refusal.Detail, refusal.Error()))
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	if status == http.StatusUnauthorized && !isRegistration(refusal) {
		body.Code = status
		w.Header().Set("WWW-Authenticate", "JWT realm=Crowdsec API local")
	}
	if body.Message == "" {
		w.WriteHeader(status)
		return
	}
	// Nothing is left to be told to a client that does not even take the error.
	_ = writeJSON(w, status, body)
}

// isRegistration reports whether the answer has the form of registrations, not that of sessions.
func isRegistration(refusal *auth.RefusalError) bool {
	return refusal != nil && (refusal.Reason == auth.ReasonRegistrationToken || refusal.Reason == auth.ReasonRegistrationAddress)
}
