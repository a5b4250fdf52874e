package firewall

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsTimeout bounds how long one client of the metrics may take.
const metricsTimeout = 30 * time.Second

// serveMetrics answers at address until ctx ends. Failing to is logged: enforcing goes on without.
func serveMetrics(ctx context.Context, address string, registry *prometheus.Registry, log *slog.Logger) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		log.ErrorContext(ctx, "serving metrics", "error", err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{
		Handler: mux, ReadTimeout: metricsTimeout, WriteTimeout: metricsTimeout,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	log.InfoContext(ctx, "Serving metrics at "+listener.Addr().String()+"/metrics") //nolint:sloglint // published text
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.ErrorContext(ctx, "serving metrics", "error", err)
	}
}
