package tlsfiles_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shieldwall/internal/platform/tlsfiles"
	"shieldwall/internal/platform/tlsfiles/tlstest"
)

func TestFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := tlstest.NewAuthority(t, "Test CA")
	cert, key := ca.Issue(t, tlstest.Leaf{CommonName: "a"}).Write(t, dir, "a")
	_, otherKey := ca.Issue(t, tlstest.Leaf{CommonName: "b"}).Write(t, dir, "b")
	caFile := ca.Write(t, dir)
	crl := filepath.Join(dir, "crl.pem")
	write(t, crl, string(ca.CRL(t, tlstest.CRL{}))+string(ca.CRL(t, tlstest.CRL{})))
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, text)
		return path
	}
	cut := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return file(filepath.Base(path)+".cut", string(text)+string(text[:len(text)*3/4]))
	}
	for name, test := range map[string]struct {
		load func() error
		want string // "" for none
	}{
		"pair":            {func() error { _, err := tlsfiles.Pair(cert, key); return err }, ""},
		"key of another":  {func() error { _, err := tlsfiles.Pair(cert, otherKey); return err }, "unable to load certificate '" + cert + "' and key '" + otherKey + "': "},
		"no key":          {func() error { _, err := tlsfiles.Pair(cert, ""); return err }, "and key ''"},
		"authority":       {func() error { _, err := tlsfiles.Authorities(caFile); return err }, ""},
		"system only":     {func() error { _, err := tlsfiles.Authorities(""); return err }, ""},
		"no authority":    {func() error { _, err := tlsfiles.Authorities(key); return err }, "no certificate in it"},
		"missing":         {func() error { _, err := tlsfiles.Authorities("/nonexistent"); return err }, "/nonexistent"},
		"cut authority":   {func() error { _, err := tlsfiles.Authorities(cut(caFile)); return err }, "1 of 2 blocks"},
		"not X.509":       {func() error { _, err := tlsfiles.Authorities(file("junk", block("CERTIFICATE"))); return err }, "none of them can be read"},
		"lists":           {func() error { _, err := tlsfiles.RevocationLists(crl); return err }, ""},
		"no list":         {func() error { _, err := tlsfiles.RevocationLists(cert); return err }, "no x509 crl in it"},
		"cut list":        {func() error { _, err := tlsfiles.RevocationLists(cut(crl)); return err }, "1 of 4 blocks"},
		"garbled list":    {func() error { _, err := tlsfiles.RevocationLists(file("crl.junk", block("X509 CRL"))); return err }, "list 1: "},
		"missing list":    {func() error { _, err := tlsfiles.RevocationLists("/nonexistent"); return err }, "unable to load CRL: open /nonexistent"},
		"certificates":    {func() error { _, err := tlsfiles.Certificates(caFile); return err }, ""},
		"no certificates": {func() error { _, err := tlsfiles.Certificates(key); return err }, "no certificate in it"},
		"cut certificate": {func() error { _, err := tlsfiles.Certificates(cut(caFile)); return err }, "1 of 2 blocks"},
		"junk in PEM":     {func() error { _, err := tlsfiles.Certificates(file("junk", block("CERTIFICATE"))); return err }, "unable to load certificates: "},
		"empty authority": {func() error { _, err := tlsfiles.Authorities(file("empty", "")); return err }, "no certificate in it"},
	} {
		err := test.load()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	if lists, err := tlsfiles.RevocationLists(crl); err != nil || len(lists) != 2 {
		t.Errorf("got %d lists, %v", len(lists), err)
	}
}

// block is a PEM block that holds no ASN.1.
func block(label string) string {
	return "-----BEGIN " + label + "-----\nbm90aGluZw==\n-----END " + label + "-----\n"
}
