package pki

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"shieldwall/internal/domain/fault"
)

// Settings describe a new authority.
type Settings struct {
	Organization string        // in the names of all certificates
	Lifetime     time.Duration // of certificates for which none is asked; positive
	CALifetime   time.Duration // of root and intermediate; longer than Lifetime
	Force        bool          // replace an authority that is there, with all that it remembers
}

func (s Settings) check() error {
	switch {
	case s.Organization == "":
		return fault.Errorf(fault.Invalid, "the organization must not be empty")
	case s.Lifetime <= 0:
		return fault.Errorf(fault.Invalid, "the lifetime must be positive")
	case s.CALifetime <= s.Lifetime:
		return fault.Errorf(fault.Invalid, "the authority must live longer than its certificates: %v is not more than %v", s.CALifetime, s.Lifetime)
	}
	return nil
}

// Init makes an authority in a folder, which is made if need be. Exists when there is one already and Force is not set,
// or when the folder holds anything else.
func Init(dir string, settings Settings, options Options) (*Authority, error) {
	if err := settings.check(); err != nil {
		return nil, err
	}
	a, err := at(dir, options)
	if err != nil {
		return nil, err
	}
	if err := a.prepare(); err != nil {
		return nil, err
	}
	return a, a.exclusively(func() error {
		if _, err := os.Stat(a.path(indexFile)); err == nil && !settings.Force {
			return fault.Errorf(fault.Exists, "there is an authority in %s: with --force it is replaced, and all certificates of it are worthless", a.dir)
		}
		return a.found(settings)
	})
}

// prepare makes the folder. Nobody else may look into it, which would surprise in a folder that is used for something else.
func (a *Authority) prepare() error {
	entries, err := os.ReadDir(a.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return makeFolder(a.dir, folderMode)
	case err != nil:
		return fmt.Errorf("making an authority: %w", err)
	}
	isOurs := slices.ContainsFunc(entries, func(entry fs.DirEntry) bool { return entry.Name() == lockFile })
	if len(entries) > 0 && !isOurs {
		return fault.Errorf(fault.Exists, "%s is not empty, and holds no authority: choose another folder with --dir", a.dir)
	}
	if err := os.Chmod(a.dir, folderMode); err != nil {
		return fmt.Errorf("making an authority: %w", err)
	}
	return nil
}

// found makes everything new. The index comes last: without it there is no authority.
func (a *Authority) found(settings Settings) error {
	if err := os.Remove(a.path(indexFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("making an authority: %w", err)
	}
	root, rootKey, err := a.newRoot(settings)
	if err != nil {
		return err
	}
	signer, err := a.newIssuer(settings, root, rootKey)
	if err != nil {
		return err
	}
	if err := writeCertificates(a.path(BundleFile), signer.certificate, root); err != nil {
		return err
	}
	return a.writeList(&index{
		Organization: settings.Organization, Lifetime: settings.Lifetime, Certificates: []Certificate{}, Tokens: []invitation{},
	}, signer)
}

func (a *Authority) newRoot(settings Settings) (*x509.Certificate, crypto.Signer, error) {
	template, err := a.authorityTemplate(settings, settings.Organization+" CA")
	if err != nil {
		return nil, nil, err
	}
	template.MaxPathLen = 1
	key, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	root, err := create(template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	return root, key, errors.Join(writeKey(a.path(rootKeyFile), key), writeCertificates(a.path(RootFile), root))
}

func (a *Authority) newIssuer(settings Settings, root *x509.Certificate, rootKey crypto.Signer) (*issuer, error) {
	template, err := a.authorityTemplate(settings, settings.Organization+" Intermediate CA")
	if err != nil {
		return nil, err
	}
	template.MaxPathLenZero = true
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	certificate, err := create(template, root, key.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	err = errors.Join(writeKey(a.path(issuerKeyFile), key), writeCertificates(a.path(issuerFile), certificate))
	return &issuer{certificate: certificate, root: root, key: key}, err
}

func (a *Authority) authorityTemplate(settings Settings, name string) (*x509.Certificate, error) {
	serial, err := newSerial(a.random, &index{})
	if err != nil {
		return nil, err
	}
	now := a.now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{settings.Organization}},
		NotBefore: now.Add(-skew), NotAfter: now.Add(settings.CALifetime),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil
}
