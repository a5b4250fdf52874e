package localapi

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/wire"
)

// Authority issues certificates. The chains that it returns lead from a new certificate to the root, both included.
type Authority interface {
	// Join redeems the secret of a join token, once: Forbidden when it is not good, Exists when the name is taken, Invalid
	// when the request makes no sense.
	Join(secret string, request *x509.CertificateRequest) (chain []*x509.Certificate, err error)
	// Renew signs the successor of a certificate: NotFound when it was not issued there, Forbidden when it must not have one.
	Renew(current *x509.Certificate, request *x509.CertificateRequest) (chain []*x509.Certificate, err error)
}

// The ways to a certificate, as metrics count them.
const (
	wayJoin  = "join"
	wayRenew = "renew"
)

// issuance is what answers those who want a certificate.
type issuance struct {
	authority Authority
	newcomers *auth.Newcomers
	sides     []*auth.Certificates // that a certificate to be renewed must be good for one of
}

// ifIssuing answers as if there were no such route where there is no authority.
func (s *Server) ifIssuing(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.issuance == nil {
			return fault.Errorf(fault.NotFound, "this Local API issues no certificates")
		}
		return next(w, r)
	}
}

// join issues the first certificate of a machine that knows a token. The machine has verified by then whom it talks to.
func (s *Server) join(w http.ResponseWriter, r *http.Request) error {
	if r.TLS == nil {
		return fault.Errorf(fault.Forbidden, "certificates are issued over TLS only")
	}
	address := s.clientAddress(r)
	if err := s.issuance.newcomers.Admit(address); err != nil {
		return err
	}
	chain, err := s.redeem(r)
	if err := s.issuance.newcomers.Judge(address, err); err != nil {
		return err
	}
	return s.hand(w, r, wayJoin, chain)
}

func (s *Server) redeem(r *http.Request) ([]*x509.Certificate, error) {
	body, err := bodyOf(r, maxAnonymousBody)
	if err != nil {
		return nil, err
	}
	document, err := wire.DecodeJoin(body)
	if err != nil {
		return nil, err
	}
	request, err := parseRequest(document.CSR)
	if err != nil {
		return nil, err
	}
	return s.issuance.authority.Join(document.Secret, request)
}

// renew issues the successor of the certificate that the client shows.
func (s *Server) renew(w http.ResponseWriter, r *http.Request) error {
	current, err := auth.Presented(r.Context(), r.TLS, s.issuance.sides...)
	if err != nil {
		return err
	}
	body, err := bodyOf(r, maxAnonymousBody)
	if err != nil {
		return err
	}
	document, err := wire.DecodeRenewal(body)
	if err != nil {
		return err
	}
	request, err := parseRequest(document.CSR)
	if err != nil {
		return err
	}
	chain, err := s.issuance.authority.Renew(current, request)
	if err != nil {
		return err
	}
	return s.hand(w, r, wayRenew, chain)
}

// parseRequest reads a certificate request in PEM.
func parseRequest(text string) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, fault.Errorf(fault.Invalid, "csr: no certificate request in PEM")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "csr: %w", err)
	}
	return request, nil
}

// hand answers with a new certificate, and puts on record who has got it.
func (s *Server) hand(w http.ResponseWriter, r *http.Request, way string, chain []*x509.Certificate) error {
	leaf, last := chain[0], len(chain)-1
	s.metrics.issued.WithLabelValues(way).Inc()
	s.log.InfoContext(r.Context(), "certificate issued", "way", way, "subject", leaf.Subject.String(),
		"serial", leaf.SerialNumber.Text(16), "not_after", leaf.NotAfter.Format(time.RFC3339), "address", s.clientAddress(r).String())
	s.journal.note(domain.AuditEntry{
		ActorKind: "certificate", Actor: leaf.Subject.CommonName, Address: s.clientAddress(r).String(),
		Action: "certificate." + way, Subject: leaf.Subject.CommonName, Count: 1,
	})
	return writeJSON(w, http.StatusCreated, wire.IssuedCertificate{
		Certificate: encodeChain(chain[:last]), Bundle: encodeChain(chain[1:]),
	})
}

func encodeChain(chain []*x509.Certificate) string {
	var text bytes.Buffer
	for _, certificate := range chain {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	}
	return text.String()
}
