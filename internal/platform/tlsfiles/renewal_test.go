package tlsfiles_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/tlsfiles"
)

// renewals runs a Renewal of a certificate that lives for so long, until the time is over, and returns when it has asked
// for a new one. The outcome of the nth time is that of answer; nil gives another such certificate.
func renewals(t *testing.T, lifetime, until time.Duration, answer func(n int) error) (asked []time.Duration, log string) {
	t.Helper()
	var text bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		current := &x509.Certificate{NotBefore: begin, NotAfter: begin.Add(lifetime)}
		ctx, cancel := context.WithTimeout(t.Context(), until)
		defer cancel()
		tlsfiles.Renewal{
			Current: func() (*x509.Certificate, error) { return current, nil },
			Renew: func(context.Context) error {
				asked = append(asked, time.Since(begin))
				err := answer(len(asked))
				if err == nil {
					current = &x509.Certificate{NotBefore: time.Now(), NotAfter: time.Now().Add(lifetime)}
				}
				return err
			},
			Log: slog.New(slog.NewTextHandler(&text, nil)),
		}.Run(ctx)
	})
	return asked, text.String()
}

func TestRenewalAtTwoThirds(t *testing.T) {
	t.Parallel()
	for _, lifetime := range []time.Duration{30 * time.Second, 90 * 24 * time.Hour} {
		asked, log := renewals(t, lifetime, 2*lifetime-lifetime/10, func(int) error { return nil })
		for i, at := range asked {
			if want := time.Duration(i+1) * lifetime / 3 * 2; at < want || at > want+want/100+time.Second {
				t.Errorf("%v: renewal %d after %v", lifetime, i, at)
			}
		}
		if len(asked) < 2 || strings.Count(log, "certificate renewed") != len(asked) {
			t.Errorf("%v: asked after %v:\n%s", lifetime, asked, log)
		}
	}
}

func TestRenewalThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	const lifetime = 90 * 24 * time.Hour
	failure := errors.New("connection refused")
	asked, log := renewals(t, lifetime, lifetime, func(n int) error {
		if n <= 10 {
			return failure
		}
		return nil
	})
	if len(asked) != 11 || asked[1]-asked[0] != time.Minute || asked[2]-asked[1] != 2*time.Minute || asked[9]-asked[8] != time.Hour {
		t.Errorf("asked after %v", asked)
	}
	if strings.Count(log, "connection refused") != 10 || !strings.Contains(log, "not_after=") || !strings.Contains(log, "next_try=1m0s") {
		t.Errorf("logged\n%s", log)
	}
	// With little time left nobody waits for an hour, and after the end nobody gives up.
	asked, _ = renewals(t, 30*time.Second, 3*time.Hour, func(int) error { return failure })
	if asked[1]-asked[0] > time.Second || len(asked) < 10 || asked[len(asked)-1] < time.Hour {
		t.Errorf("asked after %v", asked)
	}
}

func TestNobodyWhoCouldRenewIsSaidOnce(t *testing.T) {
	t.Parallel()
	asked, log := renewals(t, 90*24*time.Hour, 90*24*time.Hour, func(int) error { return fault.Errorf(fault.NotFound, "no authority here") })
	if len(asked) < 100 || strings.Count(log, "no authority here") != 1 {
		t.Errorf("asked %d times:\n%s", len(asked), log)
	}
}

func TestACertificateThatCannotBeReadIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute)
		defer cancel()
		looks := 0
		tlsfiles.Renewal{
			Current: func() (*x509.Certificate, error) { looks++; return nil, os.ErrNotExist },
			Log:     slog.New(slog.DiscardHandler),
		}.Run(ctx)
		if looks != 3 {
			t.Errorf("%d looks", looks)
		}
	})
}

func TestReplaceKeepsLinksAndRights(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	write(t, path, "old")
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := tlsfiles.Replace(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if info, failure := os.Stat(path); err != nil || failure != nil || string(text) != "new" || info.Mode() != 0o640 {
		t.Errorf("got %q, %v, %v", text, info, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	if err := tlsfiles.Replace(filepath.Join(dir, "missing"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
