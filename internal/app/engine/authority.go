package engine

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"shieldwall/internal/localapi"
	"shieldwall/internal/pki"
	"shieldwall/internal/platform/tlsfiles"
)

// listInterval is how often it is seen whether the list of revoked certificates is about to be out of date.
const listInterval = time.Hour

// openAuthority opens the authority that the Local API issues certificates with, and has its files used wherever the
// configuration names no others.
func (a *localAPI) openAuthority(dir string, settings *localapi.TLS) (err error) {
	if a.authority, err = pki.Open(dir, pki.Options{Now: a.now}); err != nil {
		return err
	}
	a.certFile, a.keyFile = settings.CertFile, settings.KeyFile
	settings.RootFile = filepath.Join(dir, pki.RootFile)
	if settings.CACertFile == "" {
		settings.CACertFile = filepath.Join(dir, pki.BundleFile)
	}
	if settings.AgentsAllowedOU == nil {
		settings.AgentsAllowedOU = []string{pki.UnitAgent}
	}
	if settings.BouncersAllowedOU == nil {
		settings.BouncersAllowedOU = []string{pki.UnitBouncer}
	}
	list := filepath.Join(dir, pki.CRLFile)
	if _, err := os.Stat(list); settings.CRLFile != "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	settings.CRLFile = list
	return nil
}

// keepList writes the list of revoked certificates again before it is out of date.
func (a *localAPI) keepList(ctx context.Context) {
	ticker := time.NewTicker(listInterval)
	defer ticker.Stop()
	for {
		if err := a.authority.RefreshList(); err != nil {
			a.log.WarnContext(ctx, "the list of revoked certificates is not refreshed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// keepCertificate renews the certificate of the Local API when its own authority has issued it.
func (a *localAPI) keepCertificate(ctx context.Context) {
	tlsfiles.Renewal{
		Current: func() (*x509.Certificate, error) {
			pair, err := tlsfiles.Pair(a.certFile, a.keyFile)
			if err != nil {
				return nil, err
			}
			return pair.Leaf, nil
		},
		Renew: func(context.Context) error { return a.authority.RenewFiles(a.certFile, a.keyFile) },
		Now:   a.now, Log: a.log,
	}.Run(ctx)
}
