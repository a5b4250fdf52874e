package localapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	headerTimeout   = 10 * time.Second
	readTimeout     = 2 * time.Minute // a body of 50 MiB over a slow line
	writeTimeout    = 4 * time.Minute // counts from the header, so it includes reading the body
	idleTimeout     = 3 * time.Minute // bouncers poll every few seconds, heartbeats come every minute
	maxHeaderBytes  = 64 << 10
	shutdownTimeout = 5 * time.Second
	flushTimeout    = 5 * time.Second
)

// Listen binds the configured address and socket. The error names the one that cannot be bound, and then
// none stays bound. It must be called before Serve.
func (s *Server) Listen(ctx context.Context) error {
	if s.cfg.Listen == "" && s.cfg.Socket == "" {
		return errors.New("no listen_uri or listen_socket specified")
	}
	if s.cfg.Listen != "" {
		if err := s.bind(ctx, "tcp", s.cfg.Listen); err != nil {
			return err
		}
	}
	if s.cfg.Socket == "" {
		return nil
	}
	err := removeStale(ctx, s.cfg.Socket)
	if err == nil {
		err = s.bind(ctx, "unix", s.cfg.Socket)
	}
	if err != nil {
		s.closeListeners()
	}
	return err
}

func (s *Server) bind(ctx context.Context, network, address string) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, network, address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	s.listeners = append(s.listeners, listener)
	return nil
}

func (s *Server) closeListeners() {
	for _, listener := range s.listeners {
		_ = listener.Close() // only ever bound: there is nothing to lose
	}
	s.listeners = nil
}

// removeStale removes the socket that a killed server has left behind. A server that is alive keeps its
// socket, and what is no socket stays.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listening on %s: %w", path, err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("listening on %s: a file that is no socket is in the way", path)
	}
	var dialer net.Dialer
	if conn, err := dialer.DialContext(ctx, "unix", path); err == nil {
		_ = conn.Close()
		return fmt.Errorf("listening on %s: %w", path, syscall.EADDRINUSE)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("listening on %s: %w", path, err)
	}
	return nil
}

// Addr returns the first bound address, that of TCP if there is one; nil before Listen.
func (s *Server) Addr() net.Addr {
	if len(s.listeners) == 0 {
		return nil
	}
	return s.listeners[0].Addr()
}

// ListensAt reports whether a URL, or the path of a socket, leads to this Server. A host that is a name may lead anywhere:
// only addresses count, the one that is bound, and those of the loopback where all are. Nothing does before Listen.
func (s *Server) ListensAt(target string) bool {
	return slices.ContainsFunc(s.listeners, func(listener net.Listener) bool {
		if bound, ok := listener.Addr().(*net.TCPAddr); ok {
			return leadsTo(target, bound.AddrPort())
		}
		return filepath.Clean(target) == filepath.Clean(listener.Addr().String())
	})
}

func leadsTo(target string, bound netip.AddrPort) bool {
	parsed, err := url.Parse(target)
	if err != nil {
		return false
	}
	asked, err := netip.ParseAddrPort(parsed.Host)
	if err != nil || asked.Port() != bound.Port() {
		return false
	}
	to, at := asked.Addr().Unmap(), bound.Addr().Unmap()
	return to == at || at.IsUnspecified() && to.IsLoopback() && (to.Is4() || at.Is6())
}

// Serve answers requests and follows other replicas until ctx ends, then lets open requests finish for a
// few seconds. It returns nil after such an end.
func (s *Server) Serve(ctx context.Context) error {
	server := s.httpServer()
	server.RegisterOnShutdown(func() { close(s.stopping) })
	group, ctx := errgroup.WithContext(ctx)
	for _, listener := range s.listeners {
		group.Go(func() error {
			if err := s.serveOn(server, listener); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
			}
			return nil
		})
	}
	group.Go(func() error { return s.index.Run(ctx) })
	group.Go(func() error { return s.followAllowlists(ctx) })
	group.Go(func() error { return s.journal.run(ctx) })
	group.Go(func() error { return s.presence.Run(ctx) })
	group.Go(func() error {
		<-ctx.Done()
		return shutDown(context.WithoutCancel(ctx), server)
	})
	return errors.Join(group.Wait(), s.flushLast(ctx))
}

// flushLast stores what the last requests have left.
func (s *Server) flushLast(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	return s.Flush(ctx)
}

// serveOn serves with TLS, if it is configured, on TCP, and without on the socket.
func (s *Server) serveOn(server *http.Server, listener net.Listener) error {
	if s.secrecy == nil || listener.Addr().Network() == "unix" {
		return server.Serve(listener)
	}
	return server.ServeTLS(listener, "", "")
}

// shutDown lets requests finish, but not for ever: a client that holds its connection open cannot turn an
// orderly stop into a failure.
func shutDown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}

func (s *Server) httpServer() *http.Server {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ConnState:         s.noteHandshake,
	}
	if s.secrecy != nil {
		server.TLSConfig = s.secrecy.config()
	}
	return server
}
