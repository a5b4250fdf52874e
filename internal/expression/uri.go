package expression

import (
	"net/url"
	"strings"
)

func uriHelpers() []helper {
	return []helper{
		of2("ExtractQueryParam", queryParam),
		of1("ParseQuery", parseQuery),
		of1("ParseUri", parseURI),
		of1("PathEscape", url.PathEscape),
		of1("PathUnescape", func(text string) string { return orAsIs(text, url.PathUnescape) }),
		of1("QueryEscape", url.QueryEscape),
		of1("QueryUnescape", func(text string) string { return orAsIs(text, url.QueryUnescape) }),
	}
}

func orAsIs(text string, decode func(string) (string, error)) string {
	decoded, err := decode(text)
	if err != nil {
		return text
	}
	return decoded
}

// parseURI reads the query of a well-formed URI and yields an empty map for any other.
func parseURI(text string) map[string][]string {
	uri, err := url.Parse(text)
	if err != nil {
		return map[string][]string{}
	}
	values, err := url.ParseQuery(uri.RawQuery)
	if err != nil {
		return map[string][]string{}
	}
	return values
}

func queryParam(uri, name string) []string {
	_, query, _ := strings.Cut(uri, "?")
	if values, ok := parseQuery(query)[name]; ok {
		return values
	}
	return []string{}
}

// parseQuery never gives up, because attackers do not write well-formed queries: ";" is an ordinary
// character and an escape that is none stays as it is.
func parseQuery(query string) url.Values {
	values := url.Values{}
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		key, value = unescapeLeniently(key), unescapeLeniently(value)
		values[key] = append(values[key], value)
	}
	return values
}

func unescapeLeniently(text string) string {
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	var plain strings.Builder
	plain.Grow(len(text))
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case b == '+':
			b = ' '
		case b == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			b = hexValue(text[i+1])<<4 | hexValue(text[i+2])
			i += 2
		}
		plain.WriteByte(b)
	}
	return plain.String()
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}

func hexValue(b byte) byte {
	switch {
	case b <= '9':
		return b - '0'
	case b <= 'F':
		return b - 'A' + 10
	}
	return b - 'a' + 10
}
