package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"shieldwall/internal/domain/fault"
)

// The files of an authority.
const (
	RootFile      = "ca.pem"
	BundleFile    = "bundle.pem" // intermediate and root: what a side needs to trust the other
	CRLFile       = "crl.pem"
	rootKeyFile   = "ca-key.pem"
	issuerFile    = "inter.pem"
	issuerKeyFile = "inter-key.pem"
	indexFile     = "index.json"
	lockFile      = ".lock"
	issuedFolder  = "issued"
)

const (
	publicMode = 0o644
	secretMode = 0o600
	folderMode = 0o700
)

// Options are what an Authority takes from outside. The zero value is ready to use.
type Options struct {
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // of serial numbers and secrets; nil: crypto/rand
}

// Authority is a folder with the files of an authority. It keeps nothing in memory, so that what another process changes
// is in force at once. It is safe for concurrent use.
type Authority struct {
	dir    string
	now    func() time.Time
	random io.Reader
}

// Open returns the authority in a folder. NotFound when there is none; the error says how to make one.
func Open(dir string, options Options) (*Authority, error) {
	a, err := at(dir, options)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(a.path(indexFile)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.Errorf(fault.NotFound, "no authority in %s: make one with 'cscli pki init --dir %s'", dir, dir)
		}
		return nil, fmt.Errorf("opening the authority: %w", err)
	}
	_, err = a.loadIssuer()
	return a, err
}

func at(dir string, options Options) (*Authority, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the authority: %w", err)
	}
	a := &Authority{dir: dir, now: options.Now, random: options.Random}
	if a.now == nil {
		a.now = time.Now
	}
	if a.random == nil {
		a.random = rand.Reader
	}
	return a, nil
}

// Dir returns the folder, as an absolute path.
func (a *Authority) Dir() string { return a.dir }

// Fingerprint returns the SHA-256 of the root's certificate.
func (a *Authority) Fingerprint() ([sha256.Size]byte, error) {
	root, err := readCertificate(a.path(RootFile))
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(root.Raw), nil
}

func (a *Authority) path(name string) string { return filepath.Join(a.dir, name) }

// exclusively runs do while no other process, and no other goroutine, changes the folder.
func (a *Authority) exclusively(do func() error) (err error) {
	file, err := os.OpenFile(a.path(lockFile), os.O_CREATE|os.O_RDWR, secretMode)
	if err != nil {
		return fmt.Errorf("locking the authority: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }() // which unlocks
	for {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("locking the authority: %w", err)
	}
	return do()
}

// issuer is what signs certificates.
type issuer struct {
	certificate *x509.Certificate
	root        *x509.Certificate
	key         crypto.Signer
}

func (a *Authority) loadIssuer() (*issuer, error) {
	pair, err := tls.LoadX509KeyPair(a.path(issuerFile), a.path(issuerKeyFile))
	if err != nil {
		return nil, fmt.Errorf("reading the intermediate of the authority: %w", err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("reading the intermediate of the authority: %s cannot sign", issuerKeyFile)
	}
	root, err := readCertificate(a.path(RootFile))
	if err != nil {
		return nil, err
	}
	return &issuer{certificate: pair.Leaf, root: root, key: key}, nil
}

// chain returns what leads from a certificate to the root, both included.
func (i *issuer) chain(leaf *x509.Certificate) []*x509.Certificate {
	return []*x509.Certificate{leaf, i.certificate, i.root}
}
