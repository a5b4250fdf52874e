// Package fault gives errors a kind.
//
// It owns the closed list of reasons for which something can be refused. Code that knows the reason marks
// the error once; each edge (HTTP status, exit code) translates kinds in one table. It promises that
// marking keeps the message and the chain of the error as they are.
package fault

import (
	"errors"
	"fmt"
)

// Kind says why an operation was refused, independent of its wording.
type Kind uint8

// The kinds. Internal is what every unmarked error is.
const (
	Internal Kind = iota
	Invalid
	NotFound
	Exists
	Unauthorized
	Forbidden
	TooLarge
	Unavailable
)

// String returns the kind in lower case, for logs.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case NotFound:
		return "not found"
	case Exists:
		return "exists"
	case Unauthorized:
		return "unauthorized"
	case Forbidden:
		return "forbidden"
	case TooLarge:
		return "too large"
	case Unavailable:
		return "unavailable"
	case Internal:
		return "internal"
	}
	return "internal"
}

type marked struct {
	kind Kind
	err  error
}

func (m *marked) Error() string { return m.err.Error() }

func (m *marked) Unwrap() error { return m.err }

// Mark returns err with a kind; the message stays as it is. Mark of nil is nil.
func Mark(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &marked{kind: kind, err: err}
}

// Errorf is fmt.Errorf with a kind.
func Errorf(kind Kind, format string, args ...any) error {
	return &marked{kind: kind, err: fmt.Errorf(format, args...)}
}

// KindOf returns the outermost kind in the chain of err, Internal when there is none.
func KindOf(err error) Kind {
	var m *marked
	if errors.As(err, &m) {
		return m.kind
	}
	return Internal
}

// Is reports whether KindOf(err) is kind; false for a nil error.
func Is(err error, kind Kind) bool {
	return err != nil && KindOf(err) == kind
}
