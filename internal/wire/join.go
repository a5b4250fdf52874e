package wire

import "io"

// RefusalHeader says why a client certificate is refused, where the published body of the answer does not.
const RefusalHeader = "X-Shieldwall-Refusal"

// Join is the body of POST /v1/join: a new machine asks for its first certificate.
type Join struct {
	Secret string `json:"secret"` // of the join token
	CSR    string `json:"csr"`    // a certificate request in PEM, signed with the key that stays on the machine
}

// Renewal is the body of POST /v1/renew: who has a certificate asks for its successor.
type Renewal struct {
	CSR string `json:"csr"` // in PEM, for the subject of the certificate that is shown
}

// IssuedCertificate is the answer to both.
type IssuedCertificate struct {
	Certificate string `json:"certificate"` // in PEM, with those behind it that lead to the root, without the root
	Bundle      string `json:"bundle"`      // in PEM: the authorities to trust
}

// DecodeJoin reads the body of POST /v1/join; errors are those of DecodeAlerts.
func DecodeJoin(r io.Reader) (Join, error) {
	var body struct {
		Secret *string `json:"secret"`
		CSR    *string `json:"csr"`
	}
	if err := decodeJSON(r, &body); err != nil {
		return Join{}, err
	}
	var check checker
	check.present("csr", body.CSR != nil)
	check.present("secret", body.Secret != nil)
	if err := check.err(); err != nil {
		return Join{}, err
	}
	return Join{Secret: *body.Secret, CSR: *body.CSR}, nil
}

// DecodeRenewal reads the body of POST /v1/renew; errors are those of DecodeAlerts.
func DecodeRenewal(r io.Reader) (Renewal, error) {
	var body struct {
		CSR *string `json:"csr"`
	}
	if err := decodeJSON(r, &body); err != nil {
		return Renewal{}, err
	}
	var check checker
	check.present("csr", body.CSR != nil)
	if err := check.err(); err != nil {
		return Renewal{}, err
	}
	return Renewal{CSR: *body.CSR}, nil
}
