package expression

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func fingerprintHelpers() []helper {
	return []helper{of1("JA4H", ja4h)}
}

// ja4h fingerprints an HTTP client by method, version, headers, language and cookies. Headers come in
// alphabetical order: Go does not keep theirs.
func ja4h(request *http.Request) string {
	if request == nil {
		return ""
	}
	names := fingerprintedHeaders(request.Header)
	cookies := slices.Clone(request.Cookies())
	slices.SortFunc(cookies, func(a, b *http.Cookie) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
	var cookieNames, cookiePairs []string
	for _, cookie := range cookies {
		cookieNames = append(cookieNames, cookie.Name)
		cookiePairs = append(cookiePairs, cookie.Name+"="+cookie.Value)
	}
	return strings.Join([]string{
		ja4hSummary(request, len(names), len(cookies) > 0),
		shortHash(names), shortHash(cookieNames), shortHash(cookiePairs),
	}, "_")
}

func fingerprintedHeaders(header http.Header) []string {
	names := make([]string, 0, len(header))
	for name := range header {
		if name != "Cookie" && name != "Referer" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func ja4hSummary(request *http.Request, headers int, cookies bool) string {
	const maxHeaders = 99 // there are two digits
	cookie, referer := "n", "n"
	if cookies {
		cookie = "c"
	}
	if request.Referer() != "" {
		referer = "r"
	}
	method := strings.ToLower(request.Method + "00")[:2]
	return fmt.Sprintf("%s%d%d%s%s%02d%s", method, request.ProtoMajor, request.ProtoMinor,
		cookie, referer, min(headers, maxHeaders), primaryLanguage(request.Header.Get("Accept-Language")))
}

// primaryLanguage returns four letters of the first language, filled with zeros.
func primaryLanguage(accepted string) string {
	first, _, _ := strings.Cut(accepted, ",")
	first, _, _ = strings.Cut(first, ";")
	language := strings.ToLower(strings.ReplaceAll(first, "-", ""))
	return (language + "0000")[:4]
}

func shortHash(items []string) string {
	const length = 12
	if len(items) == 0 {
		return strings.Repeat("0", length)
	}
	sum := sha256.Sum256([]byte(strings.Join(items, ",")))
	return hex.EncodeToString(sum[:])[:length]
}
