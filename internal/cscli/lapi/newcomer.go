package lapi

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/pki"
	"shieldwall/internal/platform/atomicfile"
	"shieldwall/internal/wire"
)

const (
	joinFolderMode = 0o750
	joinPublicMode = 0o644
	joinSecretMode = 0o600
	stagedSuffix   = ".new"
)

// newcomerPlace is where the files of a machine that joins go.
type newcomerPlace struct {
	dir   string
	kind  pki.Kind
	file  string // of the program that uses the certificate, "" for none
	force bool
}

func joinDir(s *session.Session, wanted string) string {
	switch {
	case wanted != "":
		return wanted
	case s.Config.Paths.ConfigDir != "":
		return filepath.Join(s.Config.Paths.ConfigDir, "tls")
	}
	return defaultJoinDir
}

// stagedKey is a key on disk that is not in use yet: that it cannot be written shows before the token is used up.
type stagedKey struct {
	path string
	text []byte
	csr  string // in PEM
}

// prepare makes the key and its request. Files that are there are not replaced without being told.
func (p *newcomerPlace) prepare(name string) (*stagedKey, error) {
	var err error
	if p.dir, err = filepath.Abs(p.dir); err != nil {
		return nil, fmt.Errorf("the folder for the certificate: %w", err)
	}
	if !p.force {
		if err := p.free(name); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(p.dir, joinFolderMode); err != nil {
		return nil, fmt.Errorf("making the folder for the certificate: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	if err != nil {
		return nil, fmt.Errorf("making a request for a certificate: %w", err)
	}
	staged := &stagedKey{path: pki.KeyPath(p.dir, name) + stagedSuffix, csr: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: raw}))}
	if staged.text, err = pki.EncodeKey(key); err != nil {
		return nil, err
	}
	return staged, atomicfile.Write(staged.path, staged.text, joinSecretMode)
}

// free refuses to replace a certificate, or a file of a bouncer, which may hold more than we would write. Credentials are
// replaced: that is what joining is for.
func (p *newcomerPlace) free(name string) error {
	paths := []string{pki.CertificatePath(p.dir, name), pki.KeyPath(p.dir, name)}
	if p.kind == pki.Bouncer && p.file != "" {
		paths = append(paths, p.file)
	}
	for _, path := range paths {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already: use --force to replace it, or another name", path)
		}
	}
	return nil
}

// discard removes what was not used.
func (k *stagedKey) discard() { _ = os.Remove(k.path) } // it is gone when it was used

// settle puts key, certificate and bundle in place. The name is that of the certificate: the token may have decided it.
func (p *newcomerPlace) settle(key *stagedKey, issued wire.IssuedCertificate) (joined, error) {
	pair, err := tls.X509KeyPair([]byte(issued.Certificate), key.text)
	if err != nil {
		return joined{}, fmt.Errorf("the certificate: %w", err)
	}
	name := pair.Leaf.Subject.CommonName
	if err := pki.CheckName(name); err != nil {
		return joined{}, err
	}
	j := joined{
		Name: name, Kind: p.kind, NotAfter: pair.Leaf.NotAfter,
		Certificate: pki.CertificatePath(p.dir, name), Key: pki.KeyPath(p.dir, name), Bundle: filepath.Join(p.dir, pki.BundleFile),
	}
	if err := atomicfile.Write(j.Bundle, []byte(issued.Bundle), joinPublicMode); err != nil {
		return joined{}, err
	}
	if err := atomicfile.Write(j.Certificate, []byte(issued.Certificate), joinPublicMode); err != nil {
		return joined{}, err
	}
	if err := os.Rename(key.path, j.Key); err != nil {
		return joined{}, err
	}
	return j, atomicfile.SyncDir(p.dir)
}

// configure writes the file of the program that uses the certificate. A link stays one.
func (p *newcomerPlace) configure(text []byte) error {
	if p.file == "" {
		return nil
	}
	target, err := filepath.EvalSymlinks(p.file)
	if errors.Is(err, fs.ErrNotExist) {
		target, err = p.file, nil
	}
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return atomicfile.Write(target, text, joinSecretMode)
}
