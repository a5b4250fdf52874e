package localapiclient

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/domain/fault"
)

// maxURLs bounds a list: each of its entries may be tried for one request.
const maxURLs = 16

// URLs says where a Local API is: "http://…", "https://…" or the absolute path of a unix socket. Several are
// replicas on one database, the preferred one first. In YAML it is one text, as published, or a list.
type URLs []string

// UnmarshalYAML reads a text or a list of texts; an empty text is no URL.
func (u *URLs) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode {
		return node.Decode((*[]string)(u))
	}
	var one string
	if err := node.Decode(&one); err != nil {
		return err
	}
	*u = nil
	if one != "" {
		*u = URLs{one}
	}
	return nil
}

// MarshalYAML writes one URL as a text, as published clients read it, and several as a list.
func (u URLs) MarshalYAML() (any, error) {
	if len(u) == 1 {
		return u[0], nil
	}
	return []string(u), nil
}

// String returns the URLs, separated by commas.
func (u URLs) String() string { return strings.Join(u, ", ") }

// HasSocket reports whether one of them is the path of a unix socket.
func (u URLs) HasSocket() bool {
	return slices.ContainsFunc(u, func(text string) bool { return strings.HasPrefix(text, "/") })
}

// check refuses lists that make no sense.
func (u URLs) check() error {
	switch {
	case len(u) == 0:
		return fault.Errorf(fault.Invalid, "parsing api url: there is none")
	case len(u) > maxURLs:
		return fault.Errorf(fault.Invalid, "parsing api url: %d of them, at most %d make sense", len(u), maxURLs)
	}
	for i, text := range u {
		if slices.Contains(u[:i], text) {
			return fault.Errorf(fault.Invalid, "parsing api url: %q is there twice", text)
		}
	}
	return nil
}

// parseURL returns the base of all request URLs, and the path of the unix socket if text is one.
func parseURL(text string) (base *url.URL, socket string, err error) {
	if strings.HasPrefix(text, "/") {
		return &url.URL{Scheme: "http", Host: "unix", Path: "/"}, text, nil
	}
	base, err = url.Parse(text)
	if err != nil {
		return nil, "", fault.Errorf(fault.Invalid, "parsing api url: %w", err)
	}
	if base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, "", fault.Errorf(fault.Invalid, "parsing api url: %q is neither a http(s) URL nor a socket path", text)
	}
	return base.JoinPath("/"), "", nil
}

// staysOnHost reports whether requests do not leave this machine.
func staysOnHost(base *url.URL, socket string) bool {
	address, err := netip.ParseAddr(base.Hostname())
	return socket != "" || base.Hostname() == "localhost" || err == nil && address.IsLoopback()
}

// nameOf returns a URL as it may be shown: without a password.
func nameOf(base *url.URL, socket string) string {
	if socket != "" {
		return socket
	}
	return base.Redacted()
}
