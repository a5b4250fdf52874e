package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"shieldwall/internal/config"
	"shieldwall/internal/platform/buildinfo"
)

// infoMetric carries the version as a label, as dashboards expect it.
func infoMetric() prometheus.Collector {
	return prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "cs_info", Help: "Version of this program.",
		ConstLabels: prometheus.Labels{"version": buildinfo.Read().Version},
	})
}

// startMetrics listens for Prometheus. Because it comes last, an open port means that all else has started.
func (d *daemon) startMetrics(ctx context.Context, cfg config.Prometheus) error {
	if !cfg.Enabled || d.options.DSN != "" {
		return nil
	}
	address := net.JoinHostPort(cfg.ListenAddr, strconv.Itoa(cfg.ListenPort))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("prometheus: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(d.registry, promhttp.HandlerOpts{Registry: d.registry}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	d.cleanups.Push("metrics listener", func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if serveErr := <-ended; !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
		return err
	})
	return nil
}
