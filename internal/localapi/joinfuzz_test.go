package localapi

import (
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

// csrs are one that is good, and some that are not.
func csrs() []string {
	const good = `-----BEGIN CERTIFICATE REQUEST-----
MIHKMHICAQAwEDEOMAwGA1UEAwwFd2ViLTEwWTATBgcqhkjOPQIBBggqhkjOPQMB
BwNCAASNyBF1JQLs5Lg4apz+u+4ugn4SDHUk9QLQd1wxpzcWhxxHne6Z1pl+COUW
3+zETeD8wqKvoU/CV2WQYO4974Z+oAAwCgYIKoZIzj0EAwIDSAAwRQIhAInuWe4b
VHQJ7WSfr+G5CjRKpoVEk1Gj14QQU6zToHFDAiBBoW4+8YNgkR/zW/fBT78CyQX/
gtP5/A5wyBK5AZIPIg==
-----END CERTIFICATE REQUEST-----
`
	return []string{good, strings.Replace(good, "REQUEST", "", 1), "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n", "", "x"}
}

func FuzzParseRequest(f *testing.F) {
	for _, csr := range csrs() {
		f.Add(csr)
	}
	f.Fuzz(func(t *testing.T, text string) {
		request, err := parseRequest(text)
		if (err == nil) == (request == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: got %v, %v", text, request, err)
		}
		if err == nil {
			_ = request.CheckSignature() // must not panic, whatever the key is
		}
	})
}

func FuzzDecodeIssuing(f *testing.F) {
	f.Add(`{"secret":"s","csr":"c"}`)
	f.Add(`{"csr":null,"secret":1}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, text string) {
		join, err := wire.DecodeJoin(strings.NewReader(text))
		if err != nil && statusOf(err) != 400 && statusOf(err) != 422 || err != nil && join != (wire.Join{}) {
			t.Errorf("%q: got %+v, %v", text, join, err)
		}
		renewal, failure := wire.DecodeRenewal(strings.NewReader(text))
		if failure != nil && statusOf(failure) != 400 && statusOf(failure) != 422 {
			t.Errorf("%q: got %v", text, failure)
		}
		if err == nil && (failure != nil || renewal.CSR != join.CSR) {
			t.Errorf("%q: one reads %+v, the other %+v, %v", text, join, renewal, failure)
		}
	})
}
