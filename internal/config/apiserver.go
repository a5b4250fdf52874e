package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"shieldwall/internal/platform/duration"
)

// The published bounds of a registration token, in characters.
const (
	minRegistrationToken = 32
	maxRegistrationToken = 255 // clients cannot send more
)

// AutoRegistration lets machines in that know a token and call from the right network.
type AutoRegistration struct {
	Token  string // 32 to 255 characters
	Ranges []netip.Prefix
}

// ServerTLS says how the Local API serves with certificates. Paths are absolute.
type ServerTLS struct {
	CertFile           string
	KeyFile            string
	CACertPath         string // "" when not configured
	ClientVerification tls.ClientAuthType
	AgentsAllowedOU    []string
	BouncersAllowedOU  []string
	CRLPath            string        // "" when not configured
	CacheExpiration    time.Duration // of revocation checks
}

func (a *autoRegistrationSection) resolve() (*AutoRegistration, error) {
	if a == nil || !a.Enabled {
		return nil, nil //nolint:nilnil // it is off
	}
	switch {
	case a.Token == "":
		return nil, errors.New("token is required")
	case len(a.Token) < minRegistrationToken || len(a.Token) > maxRegistrationToken:
		return nil, fmt.Errorf("token has %d characters, it needs %d to %d", len(a.Token), minRegistrationToken, maxRegistrationToken)
	case len(a.AllowedRanges) == 0:
		return nil, errors.New("allowed_ranges is required")
	}
	auto := &AutoRegistration{Token: a.Token}
	for _, text := range a.AllowedRanges {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("allowed_ranges: '%s' is not a range like 10.0.0.0/8", text)
		}
		auto.Ranges = append(auto.Ranges, prefix.Masked())
	}
	return auto, nil
}

// resolve returns nil when the section does not turn TLS on: only the two files do.
func (t *tlsSection) resolve() (*ServerTLS, error) {
	switch {
	case t == nil || t.CertFile == "" && t.KeyFile == "":
		return nil, nil //nolint:nilnil // plain HTTP
	case t.KeyFile == "":
		return nil, errors.New("missing TLS key file")
	case t.CertFile == "":
		return nil, errors.New("missing TLS cert file")
	}
	resolved := &ServerTLS{
		CertFile: absolute(t.CertFile), KeyFile: absolute(t.KeyFile), CACertPath: absolute(t.CACertPath),
		CRLPath: absolute(t.CRLPath), CacheExpiration: time.Hour,
	}
	for _, step := range []func(*ServerTLS) error{t.verification, t.units, t.cache} {
		if err := step(resolved); err != nil {
			return nil, err
		}
	}
	return resolved, nil
}

func (t *tlsSection) verification(resolved *ServerTLS) error {
	modes := map[string]tls.ClientAuthType{"": tls.VerifyClientCertIfGiven}
	for mode := tls.NoClientCert; mode <= tls.RequireAndVerifyClientCert; mode++ {
		modes[mode.String()] = mode
	}
	mode, ok := modes[t.ClientVerification]
	if !ok {
		return fmt.Errorf("client_verification: '%s' is not one of NoClientCert, RequestClientCert, RequireAnyClientCert, "+
			"VerifyClientCertIfGiven, RequireAndVerifyClientCert", t.ClientVerification)
	}
	resolved.ClientVerification = mode
	return nil
}

func (t *tlsSection) units(resolved *ServerTLS) error {
	for _, list := range []struct {
		name string
		from []string
		into *[]string
	}{
		{"agents_allowed_ou", t.AgentsAllowedOU, &resolved.AgentsAllowedOU},
		{"bouncers_allowed_ou", t.BouncersAllowedOU, &resolved.BouncersAllowedOU},
	} {
		for _, unit := range list.from {
			switch {
			case unit == "":
				return fmt.Errorf("%s: an empty name is not allowed", list.name)
			case !slices.Contains(*list.into, unit):
				*list.into = append(*list.into, unit)
			}
		}
	}
	return nil
}

func (t *tlsSection) cache(resolved *ServerTLS) error {
	if t.CacheExpiration == "" {
		return nil
	}
	value, err := duration.Parse(t.CacheExpiration)
	if err != nil {
		return fmt.Errorf("cache_expiration: %w", err)
	}
	if value <= 0 {
		return errors.New("cache_expiration must be positive")
	}
	resolved.CacheExpiration = value
	return nil
}

// resolve returns the folder of the authority.
func (p *pkiSection) resolve(tls *ServerTLS) (dir string, err error) {
	switch {
	case p == nil || p.Dir == "":
		return "", nil
	case tls == nil:
		return "", errors.New("certificates are issued over TLS only: tls needs cert_file and key_file ('cscli pki issue server' makes them)")
	}
	return absolute(p.Dir), nil
}
