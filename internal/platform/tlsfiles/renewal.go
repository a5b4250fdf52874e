package tlsfiles

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/atomicfile"
)

// The times of a renewal.
const (
	longestNap    = time.Hour // until it looks again whether the certificate is another one
	firstRetry    = time.Minute
	longestRetry  = time.Hour
	shortestRetry = time.Second
	// retryShare makes retries more frequent when little time is left: at most that part of it passes until the next one.
	retryShare = 10
)

// Renewal keeps a certificate young.
type Renewal struct {
	// Current returns the certificate that is in its file now.
	Current func() (*x509.Certificate, error)
	// Renew replaces it. The error is of kind NotFound when nobody is there who could: it is said once.
	Renew func(context.Context) error

	Now func() time.Time // nil: time.Now
	Log *slog.Logger
}

// Run has the certificate renewed when two thirds of its lifetime are over, until ctx ends. What goes wrong is logged and
// tried again, more often when little time is left.
func (r Renewal) Run(ctx context.Context) {
	if r.Now == nil {
		r.Now = time.Now
	}
	failures := 0
	for {
		pause, failed := r.step(ctx, failures)
		failures++
		if !failed {
			failures = 0
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// step looks once, after so many failures in a row, and returns when to look again.
func (r Renewal) step(ctx context.Context, failures int) (pause time.Duration, failed bool) {
	current, err := r.Current()
	if err != nil {
		r.Log.WarnContext(ctx, "a certificate that should be renewed in time cannot be read", "error", err)
		return longestNap, true
	}
	now := r.Now()
	if early := dueAt(current).Sub(now); early > 0 {
		return min(early, longestNap), false
	}
	err = r.Renew(ctx)
	pause = retryAfter(current.NotAfter.Sub(now), failures)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		r.Log.InfoContext(ctx, "certificate renewed", "subject", current.Subject.String())
		return shortestRetry, false // the next look finds the new one
	case fault.Is(err, fault.NotFound) && failures > 0: // it was said
	default:
		r.Log.WarnContext(ctx, "certificate not renewed", "subject", current.Subject.String(),
			"not_after", current.NotAfter.UTC().Format(time.RFC3339), "next_try", pause, "error", err)
	}
	return pause, true
}

// dueAt is when two thirds of the lifetime of a certificate are over.
func dueAt(certificate *x509.Certificate) time.Time {
	return certificate.NotBefore.Add(certificate.NotAfter.Sub(certificate.NotBefore) / 3 * 2)
}

// retryAfter returns how long to wait after a failure that so many went before, when so much time is left.
func retryAfter(left time.Duration, failures int) time.Duration {
	pause := min(firstRetry<<min(failures, 16), longestRetry)
	if left > 0 {
		pause = min(pause, left/retryShare)
	}
	return max(pause, shortestRetry)
}

// Replace puts certificates in PEM into a file that exists, or to where a link leads, at once. Its rights stay what they are.
func Replace(path string, text []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("replacing a certificate: %w", err)
	}
	info, err := os.Stat(target)
	if err != nil {
		return fmt.Errorf("replacing a certificate: %w", err)
	}
	return atomicfile.Write(target, text, info.Mode().Perm())
}
