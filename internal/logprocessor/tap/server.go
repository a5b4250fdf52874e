package tap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	requestTimeout = 5 * time.Second
	writeTimeout   = 30 * time.Second // a viewer that reads nothing for so long has to come again
	acceptPause    = time.Second      // after a failure such as too many open files
	maxConnections = 2 * maxViewers   // with those whose request has not come yet
)

// socket removes itself when it is closed.
type socket struct {
	net.Listener
	path string
}

// Listen makes a socket that only its owner and root can connect to. One that nobody listens on any more is replaced;
// another process that does is an error.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	var dialer net.Dialer
	if conn, err := dialer.DialContext(ctx, "unix", path); err == nil {
		_ = conn.Close()
		return nil, fmt.Errorf("listening on %s: %w", path, syscall.EADDRINUSE)
	}
	listener, err := listenPrivately(path)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", path, err)
	}
	return &socket{listener, path}, nil
}

// listenPrivately makes the socket in a folder that nobody else can enter, so that there is no moment in which it has
// any other mode.
func listenPrivately(path string) (net.Listener, error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".tap-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // an empty folder is left behind at worst
	name := filepath.Join(dir, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(name, 0o600), os.Rename(name, path)); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// Close stops listening and removes the socket.
func (s *socket) Close() error { return errors.Join(os.Remove(s.path), s.Listener.Close()) }

// Serve lets viewers watch until ctx ends; then it closes the listener and their connections, and returns when they are
// gone.
func (t *Tap) Serve(ctx context.Context, listener net.Listener) {
	var connections sync.WaitGroup
	defer connections.Wait()
	closed := make(chan struct{})
	defer func() { <-closed }()
	context.AfterFunc(ctx, func() {
		defer close(closed)
		if err := listener.Close(); err != nil {
			t.log.Warn("the socket of viewers was not closed in order", "error", err)
		}
	})
	places := make(chan struct{}, maxConnections)
	for {
		select {
		case <-ctx.Done():
			return
		case places <- struct{}{}:
		}
		conn, err := listener.Accept()
		if err != nil {
			<-places
			t.pause(ctx, err)
			continue
		}
		connections.Go(func() {
			defer func() { <-places }()
			t.serve(ctx, conn)
		})
	}
}

// pause returns at once when ctx has ended, which is what closes the listener.
func (t *Tap) pause(ctx context.Context, err error) {
	if ctx.Err() == nil {
		t.log.Warn("a viewer could not connect", "error", err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(acceptPause):
	}
}

// serve is one viewer, from its request to its end.
func (t *Tap) serve(ctx context.Context, conn net.Conn) {
	var reading sync.WaitGroup
	defer reading.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer conn.Close() //nolint:errcheck // what was not written was for nobody
	write := writer(conn)
	v, err := t.receive(conn)
	if err != nil {
		_ = write(reply{Error: err.Error()}) // or it is gone
		return
	}
	defer t.dismiss(v)
	t.log.Info("a viewer watches events", "stage", v.stage, "filter", v.text)
	if err := write(reply{}); err != nil {
		return
	}
	reading.Go(func() { // what comes is the end of the viewer
		defer cancel()
		_, _ = io.Copy(io.Discard, conn)
	})
	if err := v.relay(ctx, write); err != nil && ctx.Err() == nil {
		t.log.Info("a viewer does not read, it has to come again", "error", err)
	}
}

func (t *Tap) receive(conn net.Conn) (*viewer, error) {
	if err := conn.SetReadDeadline(time.Now().Add(requestTimeout)); err != nil {
		return nil, err
	}
	request, err := readRequest(conn)
	if err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	return t.admit(request)
}

// writer returns what writes values as lines, each within writeTimeout.
func writer(conn net.Conn) func(value any) error {
	encoder := json.NewEncoder(conn)
	encoder.SetEscapeHTML(false)
	return func(value any) error {
		if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		return encoder.Encode(value)
	}
}
