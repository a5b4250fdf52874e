package auth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

const (
	ocspTimeout   = 4 * time.Second // for the answer of one server
	ocspMaxAnswer = 1 << 20         // bytes
	ocspClockSkew = 5 * time.Minute
)

// ocspStatus is what OCSP servers say about a certificate.
type ocspStatus int

const (
	good ocspStatus = iota // or nobody is to be asked
	revoked
	undecided // no server knows
)

// askOCSP asks the servers that a certificate lists, one after the other, until one knows it.
func (r *revocation) askOCSP(ctx context.Context, l link) ocspStatus {
	if len(l.certificate.OCSPServer) == 0 {
		return good
	}
	for _, server := range l.certificate.OCSPServer {
		answer, err := r.askOne(ctx, server, l)
		if err == nil && answer.Status == ocsp.Unknown {
			err = errors.New("it does not know the certificate")
		}
		if err != nil {
			r.options.Log.WarnContext(ctx, "an OCSP server does not help",
				"server", server, "subject", l.certificate.Subject.String(), "issuer", l.issuer.Subject.String(), "error", err)
			continue
		}
		if answer.Status == ocsp.Revoked {
			return revoked
		}
		return good
	}
	return undecided
}

func (r *revocation) askOne(ctx context.Context, server string, l link) (*ocsp.Response, error) {
	question, err := ocsp.CreateRequest(l.certificate, l.issuer, &ocsp.RequestOptions{Hash: crypto.SHA256})
	if err != nil {
		return nil, fmt.Errorf("making an OCSP request: %w", err)
	}
	text, err := r.post(ctx, server, question)
	if err != nil {
		return nil, err
	}
	answer, err := ocsp.ParseResponseForCert(text, l.certificate, l.issuer)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return answer, believable(answer, l.issuer, r.options.Now())
}

func (r *revocation) post(ctx context.Context, server string, question []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, ocspTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/ocsp-request")
	request.Header.Set("Accept", "application/ocsp-response")
	response, err := r.options.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	return io.ReadAll(io.LimitReader(response.Body, ocspMaxAnswer))
}

// believable refuses answers that are too old to count, and those that are signed with a certificate which
// is not made for that: otherwise every client could vouch for itself.
func believable(answer *ocsp.Response, issuer *x509.Certificate, now time.Time) error {
	switch {
	case answer.ThisUpdate.After(now.Add(ocspClockSkew)):
		return errors.New("the answer is from the future")
	case !answer.NextUpdate.IsZero() && now.After(answer.NextUpdate.Add(ocspClockSkew)):
		return errors.New("the answer is out of date")
	}
	signer := answer.Certificate
	if signer == nil || signer.Equal(issuer) {
		return nil
	}
	if !slices.Contains(signer.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return errors.New("the answer is signed with a certificate that is not for OCSP")
	}
	if now.Before(signer.NotBefore) || now.After(signer.NotAfter) {
		return errors.New("the answer is signed with a certificate that is not valid now")
	}
	return nil
}
