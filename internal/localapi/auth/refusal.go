package auth

import (
	"crypto/x509"
	"errors"
	"time"

	"shieldwall/internal/domain/fault"
)

// Side says as what somebody wanted to get in.
type Side string

// The sides.
const (
	SideAgent   Side = "agent" // a machine
	SideBouncer Side = "bouncer"
	// SideNewcomer is who joins with a token.
	SideNewcomer Side = "newcomer"
)

// Reason is why somebody was refused, as metrics count it.
type Reason string

// The reasons.
const (
	ReasonPassword            Reason = "password" // wrong, or no such machine
	ReasonUserAgent           Reason = "user_agent"
	ReasonKey                 Reason = "api_key" // unknown, or none at all
	ReasonToken               Reason = "token"   // of a session
	ReasonGone                Reason = "gone"    // the machine was deleted
	ReasonNotValidated        Reason = "not_validated"
	ReasonAuthType            Reason = "auth_type" // the name belongs to somebody with another kind of proof
	ReasonRevoked             Reason = "revoked"   // by an administrator
	ReasonTooMany             Reason = "too_many"  // failures or registrations lately
	ReasonRegistrationToken   Reason = "registration_token"
	ReasonRegistrationAddress Reason = "registration_address"
	ReasonUntrusted           Reason = "certificate_untrusted" // no chain to an authority
	ReasonExpired             Reason = "certificate_expired"   // or not valid yet
	ReasonOU                  Reason = "certificate_ou"
	ReasonCRL                 Reason = "certificate_revoked_crl"
	ReasonOCSP                Reason = "certificate_revoked_ocsp"
	ReasonNoCertificate       Reason = "no_certificate" // but one is needed
	ReasonJoinToken           Reason = "join_token"     // unknown, used or expired
)

// RefusalError is why somebody was not let in. Its text is what the client may know, in the published words.
type RefusalError struct {
	Side        Side
	Reason      Reason
	Detail      string            // for the log, "" when the text says all
	Certificate *x509.Certificate // that was presented, nil without one
	RetryAfter  time.Duration     // with ReasonTooMany: when it is worth trying again

	err error
}

// Error returns what the client may know.
func (r *RefusalError) Error() string { return r.err.Error() }

// Unwrap returns the cause.
func (r *RefusalError) Unwrap() error { return r.err }

func refuse(side Side, reason Reason, kind fault.Kind, err error) *RefusalError {
	return &RefusalError{Side: side, Reason: reason, err: fault.Mark(kind, err)}
}

// because adds what only the log may know.
func (r *RefusalError) because(detail string) *RefusalError {
	r.Detail = detail
	return r
}

func tooMany(side Side, wait time.Duration, text string) *RefusalError {
	refusal := refuse(side, ReasonTooMany, fault.Unavailable, errors.New(text))
	refusal.RetryAfter = wait
	return refusal
}
