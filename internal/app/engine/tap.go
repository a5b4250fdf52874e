package engine

import (
	"context"
	"path/filepath"
	"sync"

	"shieldwall/internal/logprocessor/tap"
)

// openTap lets people watch the log processor until it has stopped; nil when they cannot, which stops nothing.
func (d *daemon) openTap(ctx context.Context, plan *plan) *tap.Tap {
	if plan.replay {
		return nil // it runs beside the service, which has the socket
	}
	listener, err := tap.Listen(ctx, filepath.Join(plan.cfg.Paths.DataDir, tap.SocketName))
	if err != nil {
		d.log.Warn("cscli tap cannot watch this process", "error", err)
		return nil
	}
	view := tap.New(plan.rules.viewing, d.log)
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var serving sync.WaitGroup
	serving.Go(func() { view.Serve(ctx, listener) })
	d.cleanups.PushClose("tap", func() error {
		stop()
		serving.Wait()
		return nil
	})
	return view
}
