package dbtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Secured is a server on 127.0.0.1 that lets its user in with TLS and a client certificate only. Paths are of PEM files.
type Secured struct {
	*Server

	Port                int
	User, Password      string
	Name                string // of an empty database
	CACert, OtherCACert string // OtherCACert signed nothing
	ClientCert          string
	ClientKey           string
}

// tlsFiles are the names of files in the folder of a server that speaks TLS.
type tlsFiles struct{ ca, cert, key, otherCA, clientCert, clientKey string }

func filesIn(dir string) tlsFiles {
	in := func(name string) string { return filepath.Join(dir, name) }
	return tlsFiles{in("ca.pem"), in("server.pem"), in("server.key"), in("other.pem"), in("client.pem"), in("client.key")}
}

// SecuredMariaDB starts a server for one test.
func SecuredMariaDB(tb testing.TB) Secured {
	tb.Helper()
	return secured(tb, mariadb(), "GRANT ALL ON %[1]s.* TO 'guarded'@'%%' IDENTIFIED BY 'let me in' REQUIRE X509")
}

// SecuredPostgreSQL starts a server for one test.
func SecuredPostgreSQL(tb testing.TB) Secured {
	tb.Helper()
	return secured(tb, postgresql(), "CREATE ROLE guarded LOGIN PASSWORD 'let me in'; ALTER DATABASE %[1]s OWNER TO guarded")
}

func secured(tb testing.TB, p program, grant string) Secured {
	tb.Helper()
	p.port = freePort(tb)
	server := forTest(tb, p)
	files := filesIn(server.dir)
	d := server.Database(tb)
	admin, err := server.Admin().Open()
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	if _, err := admin.ExecContext(tb.Context(), fmt.Sprintf(grant, d.Name)); err != nil {
		tb.Fatal(err)
	}
	return Secured{
		Server: server, Port: p.port, User: "guarded", Password: "let me in", Name: d.Name,
		CACert: files.ca, OtherCACert: files.otherCA, ClientCert: files.clientCert, ClientKey: files.clientKey,
	}
}

// freePort returns a port that nobody listens on. Servers cannot be asked to choose one.
func freePort(tb testing.TB) int {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		tb.Fatalf("listening on %s", listener.Addr())
	}
	return address.Port
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// writeCertificates makes an authority, and certificates for the server and for the user guarded.
func (s *Server) writeCertificates() error {
	files := filesIn(s.dir)
	ca, err := s.newAuthority(files.ca)
	if err != nil {
		return err
	}
	if _, err := s.newAuthority(files.otherCA); err != nil {
		return err
	}
	server := &x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if err := s.issue(ca, server, files.cert, files.key); err != nil {
		return err
	}
	client := &x509.Certificate{
		Subject: pkix.Name{CommonName: "guarded"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	return s.issue(ca, client, files.clientCert, files.clientKey)
}

func (s *Server) newAuthority(path string) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: filepath.Base(path)}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return authority{}, err
	}
	return authority{cert: cert, key: key}, s.writePEM(path, "CERTIFICATE", der)
}

func (s *Server) issue(by authority, template *x509.Certificate, certPath, keyPath string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template.SerialNumber, template.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(time.Hour)
	cert, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := s.writePEM(keyPath, "PRIVATE KEY", private); err != nil {
		return err
	}
	return s.writePEM(certPath, "CERTIFICATE", cert)
}

// writePEM writes a file that the server may read.
func (s *Server) writePEM(path, kind string, content []byte) error {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		return err
	}
	if s.identity == nil {
		return nil
	}
	return os.Chown(path, int(s.identity.Uid), int(s.identity.Gid))
}
