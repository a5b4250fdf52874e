package items

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub/installer"
	"shieldwall/internal/hub/source"
)

const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 10 * time.Second
	maxRedirects     = 10
)

// Branch returns the branch of the hub that is used.
func Branch(s *session.Session) string { return cmp.Or(s.Config.CSCLI.HubBranch, "master") }

// Remote opens the hub that is configured, the public one by default. The function that is returned closes it.
func Remote(s *session.Session, withContent bool) (installer.Source, func() error, error) {
	nothing := func() error { return nil }
	configured := s.Config.CSCLI
	switch at := configured.HubSource; {
	case at != "" && configured.HubURLTemplate != "":
		return nil, nil, errors.New("cscli.hub_source and cscli.__hub_url_template__ are both set: which one is it?")
	case at == "embedded":
		return source.BuiltIn{}, nothing, nil
	case strings.HasSuffix(at, ".tar.gz"), strings.HasSuffix(at, ".tgz"), strings.HasSuffix(at, ".zip"):
		archive, err := source.OpenArchive(at, Branch(s))
		if err != nil {
			return nil, nil, err
		}
		return archive, archive.Close, nil
	case at != "":
		if info, err := os.Stat(at); err != nil || !info.IsDir() || !filepath.IsAbs(at) {
			return nil, nil, fmt.Errorf("cscli.hub_source: '%s' is neither 'embedded', nor the absolute path of a folder, a .tar.gz or a .zip", at)
		}
		folder, err := source.OpenFolder(at, Branch(s))
		if err != nil {
			return nil, nil, err
		}
		return folder, folder.Close, nil
	}
	once, _ := s.LookupEnv("CROWDSEC_FEATURE_DISABLE_HTTP_RETRY_BACKOFF")
	server, err := source.NewServer(source.ServerConfig{
		Template: cmp.Or(configured.HubURLTemplate, source.PublicHub), Branch: Branch(s), WithContent: withContent,
		UserAgent: s.Build.UserAgent(), Once: once == "true", Client: client(), Now: s.Now,
	})
	return server, nothing, err
}

// OnlyDefault reports whether nobody has said where the hub is.
func OnlyDefault(s *session.Session) bool {
	configured := s.Config.CSCLI
	return configured.HubSource == "" && configured.HubURLTemplate == "" && configured.HubBranch == ""
}

func client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout: handshakeTimeout,
			ForceAttemptHTTP2:   true,
		},
		CheckRedirect: func(request *http.Request, via []*http.Request) error {
			switch {
			case len(via) >= maxRedirects:
				return errors.New("too many redirections")
			case via[0].URL.Scheme == "https" && request.URL.Scheme != "https":
				return errors.New("redirected from https to " + request.URL.Scheme)
			}
			return nil
		},
	}
}
