package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"

	"shieldwall/internal/domain/fault"
)

const (
	rememberedCertificates = 16384
	examinationTimeout     = 15 * time.Second
	// undecidedFor is how long a certificate goes on without a new question after no OCSP server has answered,
	// so that a dead one does not hold up every request.
	undecidedFor = 10 * time.Second
)

var (
	errRevokedByCRL  = errors.New("certificate revoked by CRL")
	errRevokedByOCSP = errors.New("certificate revoked by OCSP")
)

// RevocationLists are the lists of one version of a file.
type RevocationLists struct {
	lists []*x509.RevocationList
	stale atomic.Bool // it was said that one of them is out of date
}

// NewRevocationLists returns lists whose signatures nobody has checked yet. It keeps the slice.
func NewRevocationLists(lists []*x509.RevocationList) *RevocationLists {
	return &RevocationLists{lists: lists}
}

// revocation finds out whether certificates were revoked, and remembers what it found.
type revocation struct {
	options CertificateOptions
	flights singleflight.Group // one examination of a certificate at a time

	mu    sync.Mutex // guards known
	known *simplelru.LRU[fingerprint, finding]
}

type fingerprint = [sha256.Size]byte

// finding is what an examination has found, and what it rests upon.
type finding struct {
	err         error // nil: the certificate is good
	reason      Reason
	until       time.Time
	authorities *x509.CertPool
	lists       *RevocationLists
}

func (f finding) refused() bool { return f.err != nil }

func newRevocation(options CertificateOptions) (*revocation, error) {
	known, err := simplelru.NewLRU[fingerprint, finding](rememberedCertificates, nil)
	if err != nil {
		return nil, err
	}
	return &revocation{options: options, known: known}, nil
}

// look returns what is known about the first certificate, which the others lead up from; what is not is
// found out. Nothing that rests on another list or other authorities than those of now counts as known.
func (r *revocation) look(ctx context.Context, presented []*x509.Certificate) (finding, error) {
	id := sha256.Sum256(presented[0].Raw)
	basis := finding{authorities: r.options.Authorities(), lists: r.lists()}
	if known, ok := r.recall(id); ok && known.authorities == basis.authorities && known.lists == basis.lists {
		if known.refused() {
			known.err = fmt.Errorf("(cache) %w", known.err)
		}
		return known, nil
	}
	flight := r.flights.DoChan(string(id[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), examinationTimeout) // others wait for it, too
		defer cancel()
		found := r.examine(ctx, presented, basis)
		r.remember(id, found)
		return found, nil
	})
	select {
	case result := <-flight:
		found, ok := result.Val.(finding)
		if !ok {
			return finding{}, fmt.Errorf("examining a certificate: %w", result.Err)
		}
		return found, nil
	case <-ctx.Done():
		return finding{}, fault.Errorf(fault.Unavailable, "examining a certificate: %w", ctx.Err())
	}
}

func (r *revocation) lists() *RevocationLists {
	if r.options.Revoked == nil {
		return nil
	}
	return r.options.Revoked()
}

func (r *revocation) recall(id fingerprint) (finding, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, ok := r.known.Get(id)
	return found, ok && r.options.Now().Before(found.until)
}

func (r *revocation) remember(id fingerprint, found finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known.Add(id, found)
}

// examine looks for a chain to the authorities of now, which may be others than when the connection was
// made, and asks about each certificate in it, from the root down.
func (r *revocation) examine(ctx context.Context, presented []*x509.Certificate, found finding) finding {
	now := r.options.Now()
	chains, err := presented[0].Verify(x509.VerifyOptions{
		Roots: found.authorities, Intermediates: poolOf(presented[1:]), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		found.err, found.reason = err, ReasonUntrusted
		return found
	}
	found.until = now.Add(r.options.CacheFor)
	for _, link := range linksOf(chains) {
		status := r.askOCSP(ctx, link)
		switch {
		case status == revoked:
			found.err, found.reason = errRevokedByOCSP, ReasonOCSP
		case r.isListed(link, found.lists, now):
			found.err, found.reason = errRevokedByCRL, ReasonCRL
		}
		if found.refused() {
			return found
		}
		if status == undecided {
			found.until = now.Add(min(undecidedFor, r.options.CacheFor))
		}
	}
	return found
}

func poolOf(certificates []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return pool
}

// link is a certificate and who has issued it.
type link struct {
	certificate, issuer *x509.Certificate
}

// linksOf returns every link of the chains once, the highest of each chain first.
func linksOf(chains [][]*x509.Certificate) []link {
	var links []link
	for _, chain := range chains {
		for i := len(chain) - 2; i >= 0; i-- {
			next := link{chain[i], chain[i+1]}
			if !slices.ContainsFunc(links, next.equal) {
				links = append(links, next)
			}
		}
	}
	return links
}

func (l link) equal(other link) bool {
	return l.certificate.Equal(other.certificate) && l.issuer.Equal(other.issuer)
}

// isListed reports whether a list that the issuer has signed names the certificate. A list that is out of
// date still counts: it only lacks those that were revoked since.
func (r *revocation) isListed(l link, lists *RevocationLists, now time.Time) bool {
	if lists == nil {
		return false
	}
	for _, list := range lists.lists {
		if !bytes.Equal(list.RawIssuer, l.issuer.RawSubject) || list.CheckSignatureFrom(l.issuer) != nil {
			continue
		}
		r.warnIfStale(list, lists, now)
		for i := range list.RevokedCertificateEntries {
			if list.RevokedCertificateEntries[i].SerialNumber.Cmp(l.certificate.SerialNumber) == 0 {
				return true
			}
		}
	}
	return false
}

func (r *revocation) warnIfStale(list *x509.RevocationList, lists *RevocationLists, now time.Time) {
	expired := !list.NextUpdate.IsZero() && now.After(list.NextUpdate)
	if (expired || now.Before(list.ThisUpdate)) && lists.stale.CompareAndSwap(false, true) {
		r.options.Log.Warn("a CRL is out of date, it is used all the same", "issuer", list.Issuer.String(),
			"this_update", list.ThisUpdate, "next_update", list.NextUpdate)
	}
}
