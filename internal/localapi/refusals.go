package localapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"shieldwall/internal/localapi/auth"
)

// The reasons for which handshakes fail, as metrics count them, beside those of package auth.
const (
	reasonServerRefused   auth.Reason = "server_certificate_refused" // by the client
	reasonHandshake       auth.Reason = "handshake"                  // anything else
	sideUnknown           auth.Side   = "unknown"                    // nobody has said yet what he is
	noCertificateProvided             = "client didn't provide a certificate"
)

// noteRefusal counts and logs that a request was refused for want of proof, if that is what err says.
// Sessions that are over are everyday life: the access log has them.
func (s *Server) noteRefusal(ctx context.Context, err error, address netip.Addr) {
	var refusal *auth.RefusalError
	if !errors.As(err, &refusal) {
		return
	}
	s.metrics.refused(refusal.Side, refusal.Reason)
	if refusal.Reason == auth.ReasonToken {
		return
	}
	attrs := []slog.Attr{slog.String("side", string(refusal.Side)), slog.String("reason", refusal.Error())}
	if refusal.Detail != "" {
		attrs = append(attrs, slog.String("detail", refusal.Detail))
	}
	s.complain(ctx, "access refused", address, append(attrs, certificateAttrs(refusal.Certificate)...))
}

// complain logs a warning about an address, but not more often than anybody wants to read.
func (s *Server) complain(ctx context.Context, message string, address netip.Addr, attrs []slog.Attr) {
	if _, ok := s.complaints.Allow(address, s.now()); !ok {
		return
	}
	attrs = append([]slog.Attr{slog.String("address", address.String())}, attrs...)
	s.log.LogAttrs(context.WithoutCancel(ctx), slog.LevelWarn, message, attrs...) //nolint:sloglint // constant at each caller
}

func certificateAttrs(certificate *x509.Certificate) []slog.Attr {
	if certificate == nil {
		return nil
	}
	return []slog.Attr{
		slog.String("subject", certificate.Subject.String()), slog.String("issuer", certificate.Issuer.String()),
	}
}

// noteHandshake counts and logs a TLS handshake that did not come about, once the server has closed its
// connection. What ended a handshake is kept by the connection, which answers with it when asked again.
func (s *Server) noteHandshake(conn net.Conn, state http.ConnState) {
	secure, ok := conn.(*tls.Conn)
	if !ok || state != http.StateClosed || secure.ConnectionState().HandshakeComplete {
		return
	}
	err := secure.HandshakeContext(context.Background())
	if err == nil || isSilence(err) {
		return
	}
	reason, certificate := s.whyNoHandshake(err)
	s.metrics.refused(sideUnknown, reason)
	side := "client"
	if reason == reasonServerRefused {
		side = "server"
	}
	attrs := []slog.Attr{slog.String("side", side), slog.String("reason", err.Error())}
	s.complain(context.Background(), "TLS handshake failed", addressOf(conn), append(attrs, certificateAttrs(certificate)...))
}

// isSilence reports whether a peer has just gone away, as health checks and port scans do.
func isSilence(err error) bool {
	for _, gone := range []error{io.EOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, os.ErrDeadlineExceeded} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return isInterrupted(err)
}

// whyNoHandshake returns the reason, and the certificate that was not liked: the client's, or our own.
func (s *Server) whyNoHandshake(err error) (auth.Reason, *x509.Certificate) {
	var (
		unverified *tls.CertificateVerificationError
		invalid    x509.CertificateInvalidError
		alert      *net.OpError
	)
	switch {
	case errors.As(err, &unverified):
		reason := auth.ReasonUntrusted
		if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
			reason = auth.ReasonExpired
		}
		return reason, unverified.UnverifiedCertificates[0]
	case strings.Contains(err.Error(), noCertificateProvided):
		return auth.ReasonNoCertificate, nil
	case errors.As(err, &alert) && alert.Op == "remote error":
		return reasonServerRefused, s.secrecy.pair.Get().Leaf
	}
	return reasonHandshake, nil
}

func addressOf(conn net.Conn) netip.Addr {
	peer, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}
