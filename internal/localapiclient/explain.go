package localapiclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"shieldwall/internal/wire"
)

// inquiryTimeout is how long a server may think about a certificate before it counts as accepted.
const inquiryTimeout = 2 * time.Second

// Side says whose certificate something is about.
type Side string

// The sides.
const (
	SideServer Side = "server" // the Local API's, which we refuse
	SideClient Side = "client" // ours, which the Local API refuses
)

// CertificateError is a connection that was not made because of a certificate.
type CertificateError struct {
	Side            Side
	Subject, Issuer string // empty when there is no certificate, but must be
	Reason          error
	remedy          string
}

// Error says whose certificate is refused, why, and what to do about it where that is known.
func (e *CertificateError) Error() string {
	switch {
	case e.Side == SideServer:
		return fmt.Sprintf("the Local API's certificate is not trusted: %s, issued by %s: %v%s", e.Subject, e.Issuer, e.Reason, e.remedy)
	case e.Subject == "" && e.Issuer == "":
		return fmt.Sprintf("the Local API wants a client certificate: %v%s", e.Reason, e.remedy)
	}
	return fmt.Sprintf("the Local API refuses our certificate: %s, issued by %s: %v%s", e.Subject, e.Issuer, e.Reason, e.remedy)
}

// Unwrap returns the reason.
func (e *CertificateError) Unwrap() error { return e.Reason }

// explain makes an error of the transport say whose certificate is to blame, and what to do about it.
func (r *route) explain(request *http.Request, err error) error {
	var (
		untrusted *tls.CertificateVerificationError
		notTLS    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &untrusted):
		leaf := untrusted.UnverifiedCertificates[0]
		return &CertificateError{
			Side: SideServer, Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(),
			Reason: untrusted.Err, remedy: remedy(untrusted.Err),
		}
	case errors.As(err, &notTLS) && string(notTLS.RecordHeader[:]) == "HTTP/":
		return fmt.Errorf("%w; the url must begin with http://", http.ErrSchemeMismatch)
	case request.URL.Scheme != "https" || request.Context().Err() != nil:
		return err
	}
	alert := alertIn(err)
	if alert == nil && r.asked.Load() {
		alert = r.inquire(request)
	}
	if alert == nil {
		return err
	}
	return r.refusedByServer(alert)
}

// alertIn returns what the server said when it ended the connection, nil if it said nothing.
func alertIn(err error) *net.OpError {
	var alert *net.OpError
	if errors.As(err, &alert) && alert.Op == "remote error" {
		return alert
	}
	return nil
}

// inquire finds out what a server that has asked for a certificate thinks of it. With TLS 1.3 it says so when
// the client is writing already, who then may learn no more than that the connection is gone. Who only
// listens hears it.
func (r *route) inquire(request *http.Request) *net.OpError {
	if proxy, err := r.Proxy(request); proxy != nil || err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(request.Context(), connectTimeout)
	defer cancel()
	config := r.TLSClientConfig.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	host := request.URL.Host
	if request.URL.Port() == "" {
		host = net.JoinHostPort(request.URL.Hostname(), "443")
	}
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", host)
	if err != nil {
		return alertIn(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetReadDeadline(time.Now().Add(inquiryTimeout)); err != nil {
		return nil
	}
	_, err = conn.Read(make([]byte, 1))
	return alertIn(err)
}

// refusedByServer explains the alert with which a server has ended the connection.
func (r *route) refusedByServer(alert *net.OpError) error {
	text := alert.Error()
	switch {
	case r.certificate != nil && strings.Contains(text, "certificate"):
		return &CertificateError{
			Side: SideClient, Subject: r.certificate.Subject.String(), Issuer: r.certificate.Issuer.String(), Reason: alert,
		}
	case strings.Contains(text, "certificate required"):
		return &CertificateError{Side: SideClient, Reason: alert, remedy: "; set cert_path and key_path"}
	}
	return alert
}

// blameCertificate makes an answer that refuses our certificate say which one that is, and why.
func (t try) blameCertificate(res *http.Response, err error) error {
	reason := res.Header.Get(wire.RefusalHeader)
	certificate := t.way.route.Get().certificate
	if err == nil || reason == "" || certificate == nil {
		return err
	}
	if !strings.Contains(err.Error(), reason) {
		err = fmt.Errorf("%w: %s", err, reason)
	}
	return &CertificateError{
		Side: SideClient, Subject: certificate.Subject.String(), Issuer: certificate.Issuer.String(), Reason: err,
	}
}

// remedy says what to do about a certificate that is not trusted.
func remedy(err error) string {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
	)
	switch {
	case errors.As(err, &unknown):
		return "; set ca_cert_path to the certificates of its authority"
	case errors.As(err, &name):
		return "; the url must use a name or an address that the certificate is for"
	}
	return ""
}
