package tutorial

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestThreeServers plays the published installation of three servers with one database and certificates, which are made by
// cfssl first, and then by ours. An attack that one of them sees is an attack on both that have something to protect.
func TestThreeServers(t *testing.T) {
	t.Parallel()
	s := newSite(t, "agent-1", "agent-2", "agent-3")
	s.start()
	s.play(read(t, "testdata/three-servers.md"))
	s.expectDrop("agent-2", "agent-2", "agent-3")
	s.play(read(t, "testdata/own-authority.md"))
	s.expectDrop("agent-3", "agent-2", "agent-3")
}

// TestLogProcessors plays the published installation of a Local API, log processors and components with passwords and keys,
// and automatic registration.
func TestLogProcessors(t *testing.T) {
	t.Parallel()
	s := newSite(t, "lapi", "web-1", "web-2")
	s.start()
	s.play(read(t, "testdata/log-processors.md"))
	s.expectDrop("web-1", "web-1", "web-2")
}

const token = "long_token_that_is_at_least_32_characters_long"

// TestAutoRegistration shows who is let in and who is not, to people and to programs.
func TestAutoRegistration(t *testing.T) {
	t.Parallel()
	s := newSite(t, "lapi", "web")
	s.start()
	s.play(read(t, "testdata/auto-registration.md"))
	for _, c := range []struct {
		what, from, body string
		status           int
		answer           string
	}{
		{"no token", outside, `{"machine_id":"n1","password":"p"}`, http.StatusCreated, ``},
		{"the token", "web", `{"machine_id":"n2","password":"p","registration_token":"` + token + `"}`, http.StatusAccepted, ``},
		{
			"a name that is taken", "web", `{"machine_id":"n2","password":"p","registration_token":"` + token + `"}`,
			http.StatusForbidden, `{"message":"user 'n2': user already exist"}`,
		},
		{
			"a wrong token", "web", `{"machine_id":"n3","password":"p","registration_token":"` + strings.Repeat("x", 32) + `"}`,
			http.StatusUnauthorized, `{"message":"invalid token for auto registration"}`,
		},
		{
			"a token of 31 characters", "web", `{"machine_id":"n3","password":"p","registration_token":"` + token[:31] + `"}`,
			http.StatusUnprocessableEntity, `registration_token in body should be at least 32 chars long`,
		},
		{
			"the token, from an address outside the ranges", outside,
			`{"machine_id":"n3","password":"p","registration_token":"` + token + `"}`,
			http.StatusUnauthorized, `{"message":"IP not in allowed range for auto registration"}`,
		},
	} {
		status, answer := s.post(c.from, "http://10.0.0.1:8080/v1/watchers", c.body)
		t.Logf("%s: %d %s", c.what, status, answer)
		if status != c.status || !strings.Contains(answer, c.answer) || c.answer == "" && answer != "" {
			t.Errorf("%s is answered %d %q, expected %d %q", c.what, status, answer, c.status, c.answer)
		}
	}
}

// post sends a request from a machine.
func (s *site) post(from, url, body string) (status int, answer string) {
	s.t.Helper()
	dial := func(_ context.Context, network, address string) (conn net.Conn, err error) {
		err = s.hosts[from].network.Do(func() error {
			conn, err = net.Dial(network, address)
			return err
		})
		return conn, err
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("User-Agent", "tutorial/v1")
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // was read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
