package load_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"shieldwall/internal/wire"
	"shieldwall/test/bench/load"
)

func addressOf(server *httptest.Server) string { return server.Listener.Addr().String() }

func TestEveryAlertIsItsOwn(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	addresses, uuids := map[string]bool{}, map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		alerts, err := wire.DecodeAlerts(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, alert := range alerts {
			if _, err := netip.ParseAddr(alert.Source.Value); err != nil || alert.Source.IP != alert.Source.Value || !strings.Contains(alert.Message, alert.Source.IP) {
				t.Errorf("source %+v, %v: %s", alert.Source, err, alert.Message)
			}
			for _, event := range alert.Events {
				if got := event.GetMeta("source_ip"); got != alert.Source.IP {
					t.Errorf("an event of %s is about %s", alert.Source.IP, got)
				}
			}
			addresses[alert.Source.Value], uuids[alert.UUID] = true, true
		}
		w.WriteHeader(http.StatusCreated)
	}))
	defer server.Close()
	template, err := load.NewTemplate(7, 6, time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	template.Allow(30)
	head := load.Post("/v1/alerts", template.Len())
	seen, err := load.Run(t.Context(), addressOf(server), http.StatusCreated, template.Client(head), template.Client(head))
	if err != nil || seen.Requests != 30 {
		t.Errorf("%d requests, %v", seen.Requests, err)
	}
	if len(addresses) != 210 || len(uuids) != 210 {
		t.Errorf("%d addresses, %d UUIDs", len(addresses), len(uuids))
	}
	if first := load.Address(0); !addresses[first] || first == load.Address(1) {
		t.Errorf("nobody was told of %s", first)
	}
}

func TestAnswersAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/chunks":
			for range 3 {
				_, _ = io.WriteString(w, strings.Repeat("x", 70_000))
				w.(http.Flusher).Flush() //nolint:forcetypeassert,errcheck // it is one
			}
		case "/short":
			_, _ = io.WriteString(w, "four")
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()
	conn, err := load.Dial(t.Context(), addressOf(server))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // a test
	for path, want := range map[string]load.Answer{
		"/chunks": {Status: 200, Bytes: 210_000}, "/short": {Status: 200, Bytes: 4}, "/none": {Status: 204},
	} {
		got, err := conn.Do(load.Get(path))
		if err != nil || got.FirstByte <= 0 {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
		if got.FirstByte = 0; got != want {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
}

func TestWrongAnswersAreErrors(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client := &load.Repeat{Request: load.Get("/"), Times: 1}
	if _, err := load.Run(t.Context(), addressOf(server), http.StatusOK, client); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
	for name, said := range map[string]string{
		"cut": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "other": "SSH-2.0-OpenSSH\r\n", "chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
	} {
		if _, err := load.Run(t.Context(), says(t, said), http.StatusOK, &load.Repeat{Request: load.Get("/"), Times: 1}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// says returns the address of somebody who says that to the first who asks, and hangs up.
func says(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}()
	return listener.Addr().String()
}

func TestLookupsHitAndMiss(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{load.Address(0): true, load.Address(1): true, load.Address(2): true}
	hits, asked := 0, load.NewLookups(12, 3, 0)
	for request := asked.Next(); request != nil; request = asked.Next() {
		_, rest, _ := bytes.Cut(request[0], []byte("?ip="))
		address, _, _ := bytes.Cut(rest, []byte(" "))
		if listed[string(address)] {
			hits++
		}
	}
	if hits != 6 {
		t.Errorf("%d of 12 were listed", hits)
	}
}
