package pki

import (
	"crypto/x509"
	"slices"

	"shieldwall/internal/domain/fault"
)

// Kind says what a certificate is for.
type Kind string

// The kinds.
const (
	Server  Kind = "server"  // a Local API
	Agent   Kind = "agent"   // a log processor, or cscli
	Bouncer Kind = "bouncer" // a remediation component
)

// The organizational units by which a Local API tells its clients apart, as published tutorials name them.
const (
	UnitAgent   = "agent-ou"
	UnitBouncer = "bouncer-ou"
	unitServer  = "server-ou"
)

// ParseKind returns the kind with the name; Invalid when there is none.
func ParseKind(name string) (Kind, error) {
	if k := Kind(name); slices.Contains([]Kind{Server, Agent, Bouncer}, k) {
		return k, nil
	}
	return "", fault.Errorf(fault.Invalid, "'%s' is no kind of certificate: must be one of server, agent, bouncer", name)
}

// KindOf returns what a certificate of such an authority is for, "" when it is for nothing of ours.
func KindOf(certificate *x509.Certificate) Kind {
	for _, kind := range []Kind{Server, Agent, Bouncer} {
		if slices.Contains(certificate.Subject.OrganizationalUnit, kind.unit()) {
			return kind
		}
	}
	return ""
}

func (k Kind) unit() string {
	switch k {
	case Agent:
		return UnitAgent
	case Bouncer:
		return UnitBouncer
	case Server:
	}
	return unitServer
}

func (k Kind) usage() []x509.ExtKeyUsage {
	if k == Server {
		return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	return []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
}
