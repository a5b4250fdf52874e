package replica

import (
	"context"
	"time"
)

const (
	leaseTime  = 15 * time.Second
	renewEvery = leaseTime / 3
	// retryEvery is how often who has to wait looks whether the job has become free.
	retryEvery = leaseTime / 5
	// renewAgain is how soon a renewal that failed is tried again.
	renewAgain = time.Second
	// safeTime is for how long after its renewal a lease is relied on. The rest is for the work to come to its end.
	safeTime = leaseTime * 2 / 3
)

// Hold runs work whenever this process holds the lease on job, until ctx ends. The context of work ends when the lease
// is lost; another process takes over no earlier than some seconds later. Work that ends by itself gives the lease back,
// and is begun again, here or elsewhere.
func (r *Replica) Hold(ctx context.Context, job string, work func(context.Context)) {
	l := lease{Replica: r, job: job}
	for {
		if until, ok := l.acquire(ctx, retryEvery); ok {
			l.use(ctx, until, work)
		}
		timer := time.NewTimer(retryEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// lease is one job of a Replica, and is used by one goroutine.
type lease struct {
	*Replica

	job     string
	failing bool // the store could not be asked the last time
}

// acquire takes or renews the lease within limit, and returns until when to rely on it. That the store is away is said
// once.
func (l *lease) acquire(parent context.Context, limit time.Duration) (until time.Time, acquired bool) {
	until = l.options.Now().Add(safeTime) // the store counts from later
	ctx, cancel := context.WithTimeout(parent, limit)
	defer cancel()
	acquired, err := l.store.Acquire(ctx, l.job, l.node.ID, leaseTime)
	if err != nil && !l.failing && parent.Err() == nil {
		l.options.Log.WarnContext(ctx, "lease neither taken nor renewed for now", "job", l.job, "error", err)
	}
	l.failing = err != nil
	return until, acquired && err == nil
}

// use runs work until ctx ends, the lease cannot be relied on any more, or work has ended.
func (l *lease) use(ctx context.Context, until time.Time, work func(context.Context)) {
	l.options.Log.InfoContext(ctx, "lease taken", "job", l.job)
	l.held.WithLabelValues(l.job).Set(1)
	working, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		work(working)
	}()
	l.keep(ctx, until, ended)
	stop()
	<-ended
	l.held.WithLabelValues(l.job).Set(0)
	l.release(context.WithoutCancel(ctx))
}

// keep renews the lease, and returns when that has not worked for too long, or nobody needs it any more.
func (l *lease) keep(ctx context.Context, until time.Time, ended <-chan struct{}) {
	for {
		next := renewEvery
		if l.failing {
			next = renewAgain
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-ended:
			timer.Stop()
			return
		case <-timer.C:
		}
		left := until.Sub(l.options.Now())
		if left <= 0 {
			l.options.Log.WarnContext(ctx, "lease given up, it could not be renewed", "job", l.job)
			return
		}
		renewed, ok := l.acquire(ctx, left)
		switch {
		case ok:
			until = renewed
		case !l.failing:
			l.options.Log.WarnContext(ctx, "lease lost to another Local API", "job", l.job)
			return
		}
	}
}

// release lets others take over at once. When it fails they do so when the lease runs out.
func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	if err := l.store.Release(ctx, l.job, l.node.ID); err != nil {
		l.options.Log.WarnContext(ctx, "lease not given back, it runs out by itself", "job", l.job, "error", err)
	}
}
