package localapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// exchange is the answer to one request, and what the access log and the metrics want to know about it.
type exchange struct {
	http.ResponseWriter
	route  string // template, "" when no route took the request
	caller slog.Attr
	status int // 0: nothing was written yet
	err    error
}

// exchangeOf returns the exchange that observe has put around w.
func exchangeOf(w http.ResponseWriter) *exchange {
	if x, ok := w.(*exchange); ok {
		return x
	}
	return &exchange{ResponseWriter: w}
}

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(body []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// refuse answers with an error. When the answer has begun already the connection is cut, so that the client
// sees that it is incomplete.
func (x *exchange) refuse(err error) {
	x.err = err
	if x.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeError(x, err)
}

// observe logs and counts what next answers, and survives its panics.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now() // the latency is real, whatever clock decisions follow
		x := &exchange{ResponseWriter: w}
		defer func() {
			failure := recover()
			if failure != nil && failure != http.ErrAbortHandler { //nolint:errorlint // net/http compares it like this
				s.survive(r, x, failure)
				failure = nil
			}
			s.record(r, x, time.Since(began))
			if failure != nil {
				panic(failure)
			}
		}()
		body := &admission{ReadCloser: r.Body, gate: s.large}
		defer body.leave()
		r.Body = body
		next.ServeHTTP(x, r)
	})
}

func (s *Server) survive(r *http.Request, x *exchange, failure any) {
	stack := debug.Stack()
	path, err := s.traces.write(r, failure, stack)
	if err != nil {
		s.log.WarnContext(r.Context(), "trace of a panic not written", "error", err)
	}
	s.log.ErrorContext(r.Context(), "panic while answering", "panic", failure, "trace", path, "stack", string(stack))
	if x.status == 0 {
		x.WriteHeader(http.StatusInternalServerError)
	}
}

// record writes the access log and the metrics of a finished request.
func (s *Server) record(r *http.Request, x *exchange, took time.Duration) {
	s.metrics.observe(r, x, took)
	s.noteRefusal(r.Context(), x.err, s.clientAddress(r))
	attrs := []slog.Attr{
		slog.String("client_ip", s.clientAddress(r).String()),
		slog.String("method", r.Method),
		slog.String("path", r.URL.RequestURI()),
		slog.String("protocol", r.Proto),
		slog.Int("status", x.status),
		slog.Duration("latency", took),
		slog.String("user_agent", r.UserAgent()),
	}
	if x.caller.Key != "" {
		attrs = append(attrs, x.caller)
	}
	if x.err != nil {
		attrs = append(attrs, slog.Any("error", x.err))
	}
	s.log.LogAttrs(context.WithoutCancel(r.Context()), accessLevel(r, x), "request answered", attrs...)
}

func accessLevel(r *http.Request, x *exchange) slog.Level {
	switch {
	case x.status >= http.StatusInternalServerError && !errors.Is(x.err, context.Canceled): // a client that left
		return slog.LevelError
	case r.URL.Path == healthPath:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
