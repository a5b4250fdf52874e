package tlsfiles

import (
	"bytes"
	"testing"

	"shieldwall/internal/platform/tlsfiles/tlstest"
)

func FuzzParseRevocationLists(f *testing.F) {
	ca := tlstest.NewAuthority(f, "Test CA")
	good := ca.CRL(f, tlstest.CRL{})
	f.Add(good)
	f.Add(bytes.Repeat(good, 2))
	f.Add(append([]byte("text\n"), good[:len(good)/2]...))
	f.Add([]byte("-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lists, err := parseRevocationLists(text)
		if err == nil && len(lists) != bytes.Count(text, []byte("-----BEGIN X509 CRL-----")) {
			t.Errorf("%d lists, but another number begins", len(lists))
		}
		if twice, err := parseRevocationLists(bytes.Repeat(append(text, '\n'), 2)); err == nil && len(twice) != 2*len(lists) {
			t.Errorf("%d lists alone, %d together", len(lists), len(twice))
		}
	})
}
