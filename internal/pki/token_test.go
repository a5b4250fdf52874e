package pki_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/pki"
)

func TestTokensSurviveTheirWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.invite(pki.Bouncer, "")
	if !regexp.MustCompile(`^swjoin_[A-Za-z0-9_-]{92}$`).MatchString(token.Text()) {
		t.Errorf("the token is %s", token.Text())
	}
	again, err := pki.ParseToken(" " + token.Text() + "\n")
	if err != nil || again != token || again.Kind != pki.Bouncer {
		t.Errorf("got %v, %v", again, err)
	}
	swapped := []byte(token.Text())
	swapped[20], swapped[21] = swapped[21]+1, swapped[20]
	for text, want := range map[string]string{
		"":                "it would begin with swjoin_",
		token.Text()[7:]:  "it would begin with swjoin_",
		token.Text()[:60]: "not complete",
		token.Text() + strings.Repeat("AAAA", 25):    "not complete",
		token.Text()[:30] + "\n" + token.Text()[30:]: "not complete",
		"swjoin_%%%":                        "not complete",
		"swjoin_" + strings.Repeat("A", 92): "garbled",
	} {
		_, err := pki.ParseToken(text)
		wantKind(t, err, fault.Invalid, want)
	}
	named, err := pki.ParseToken(w.invite(pki.Agent, "web-1.example").Text())
	if err != nil || named.Name != "web-1.example" || named.Kind != pki.Agent {
		t.Errorf("got %v, %v", named, err)
	}
	if _, err := pki.ParseToken(string(swapped)); !fault.Is(err, fault.Invalid) {
		t.Errorf("a typing mistake is not seen: %v", err)
	}
}

func TestTokensDoNotShowTheirSecret(t *testing.T) {
	t.Parallel()
	token := newWorld(t).invite(pki.Agent, "")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("a", "token", token)
	for _, shown := range []string{log.String(), fmt.Sprint(token), fmt.Sprintf("%s %v", token, token)} {
		if !strings.Contains(shown, "join token of the authority ") || strings.Contains(shown, token.Secret()) {
			t.Errorf("shown: %s", shown)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("swjoin_AY5DK7BlLgo97aaH4Kv52Qk56wgCxVPOfM_N1i1s87MYFhyOyyLZUg7aD0NFojaR5GvoVRw6wSyzfi9_m-HHxN5wDPQ")
	f.Add("swjoin_" + strings.Repeat("A", 92))
	f.Add("swjoin_")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := pki.ParseToken(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || token != (pki.Token{}) {
				t.Errorf("%q: got %v, %v", text, token, err)
			}
			return
		}
		if token.Text() != strings.TrimSpace(text) {
			t.Errorf("%q is another token: %q", text, token.Text())
		}
		if again, err := pki.ParseToken(token.Text()); err != nil || again != token {
			t.Errorf("%q does not come back: %v", text, err)
		}
	})
}
