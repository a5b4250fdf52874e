package source_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub/source"
)

func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func open(t *testing.T, handler http.HandlerFunc) (*source.Server, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	opened, err := source.NewServer(source.ServerConfig{
		Template: server.URL + "/%s/%s", Branch: "b", UserAgent: "crowdsec/v1-linux", Once: true, Client: server.Client(), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return opened, server.URL
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestIndexIsAskedForByDigest(t *testing.T) {
	t.Parallel()
	server, _ := open(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/b/.index.json" || r.UserAgent() != "crowdsec/v1-linux" {
			t.Errorf("asked for %s as %s", r.URL, r.UserAgent())
		}
		if r.Header.Get("If-None-Match") == `"`+digest("{}")+`"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, "{}")
	})
	for _, c := range []struct{ held, want string }{{"", "{}"}, {digest("x"), "{}"}, {digest("{}"), ""}} {
		if got, err := server.Index(t.Context(), c.held); err != nil || string(got) != c.want {
			t.Errorf("with %s: got %q, %v", c.held, got, err)
		}
	}
}

func TestAnswersAndKinds(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]fault.Kind{
		404: fault.NotFound, 403: fault.Forbidden, 500: fault.Unavailable, 503: fault.Unavailable, 429: fault.Unavailable, 400: fault.Internal, 304: fault.Internal,
	} {
		server, _ := open(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if _, err := server.Item(t.Context(), "x.yaml"); err == nil || fault.KindOf(err) != want {
			t.Errorf("%d: %v, %v", status, fault.KindOf(err), err)
		}
	}
}

func TestTemplatesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, template := range []string{"", "http://x/", "http://x/%s", "http://x/%s/%s/%s", "http://x/%s/%d", "http://x%20/%s/%s"} {
		if _, err := source.NewServer(source.ServerConfig{Template: template}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", template, err)
		}
	}
}

func TestAServerThatIsAwayIsAskedAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	handler := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "text")
	}))
	t.Cleanup(handler.Close)
	server, err := source.NewServer(source.ServerConfig{Template: handler.URL + "/%s/%s", Client: handler.Client(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := server.Item(t.Context(), "x"); err != nil || string(text) != "text" {
		t.Errorf("got %q, %v after %d requests", text, err, asked.Load())
	}
}

func TestDataFilesByTheirAge(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		held, modified time.Duration // ago, 0 for none
		conditional    bool          // the server knows conditional requests
		want           bool
	}{
		"none":                              {0, day, false, true},
		"older than the server's":           {2 * day, day, false, true},
		"newer than the server's":           {day, 2 * day, false, false},
		"as old":                            {day, day, false, false},
		"not modified":                      {day, 2 * day, true, false},
		"modified":                          {2 * day, day, true, true},
		"the server does not say, fresh":    {6 * day, 0, false, false},
		"the server does not say, old":      {8 * day, 0, false, true},
		"the server does not say, and none": {0, 0, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, url := open(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path != "/data.txt":
					w.WriteHeader(http.StatusNotFound)
					return
				case c.modified != 0:
					w.Header().Set("Last-Modified", now().Add(-c.modified).Format(http.TimeFormat))
				}
				since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
				if c.conditional && err == nil && !now().Add(-c.modified).After(since) {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				_, _ = io.WriteString(w, "data")
			})
			var held source.Held
			if c.held != 0 {
				held.Modified = now().Add(-c.held)
			}
			saved := false
			err := server.Data(t.Context(), source.File{URL: url + "/data.txt", Dest: "data.txt"}, held, func(body source.Body) error {
				text, err := io.ReadAll(body)
				saved = string(text) == "data"
				return err
			})
			if err != nil || saved != c.want {
				t.Errorf("saved %t, %v", saved, err)
			}
		})
	}
}

func TestMirrorsHaveDataFiles(t *testing.T) {
	t.Parallel()
	server, _ := open(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/b/data.json":
			_, _ = fmt.Fprintf(w, `{"https://elsewhere.example/x": {"path": "data/1/x", "digest": "%s"}}`, digest("mirrored"))
		case "/b/data/1/x":
			_, _ = io.WriteString(w, "mirrored")
		default:
			t.Errorf("asked for %s", r.URL)
		}
	})
	file := source.File{URL: "https://elsewhere.example/x", Dest: "x"}
	var got source.Body
	save := func(body source.Body) error {
		got = body
		_, err := io.ReadAll(body)
		return err
	}
	if err := server.Data(t.Context(), file, source.Held{}, save); err != nil || got.Digest != digest("mirrored") {
		t.Errorf("got %+v, %v", got, err)
	}
	held := source.Held{Modified: now(), Digest: func() (string, error) { return digest("mirrored"), nil }}
	if err := server.Data(t.Context(), file, held, func(source.Body) error { return errors.New("not needed") }); err != nil {
		t.Error(err)
	}
}

func TestTransfersThatBreakOff(t *testing.T) {
	t.Parallel()
	for _, length := range []string{"100", ""} { // said before, or in chunks
		server, url := open(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/b/data.json" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		if _, err := server.Index(t.Context(), ""); !fault.Is(err, fault.Unavailable) {
			t.Errorf("index: %v", err)
		}
		if _, err := server.Item(t.Context(), "x"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("item: %v", err)
		}
		err := server.Data(t.Context(), source.File{URL: url + "/x", Dest: "x"}, source.Held{}, func(body source.Body) error {
			_, err := io.ReadAll(body)
			return err
		})
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("data: %v", err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	server, _ := open(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 5 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
	})
	if _, err := server.Item(t.Context(), "x"); !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecodeManifest(f *testing.F) {
	f.Add([]byte(`{"https://x/y": {"path": "data/1/y", "digest": "ab", "modified": "2026-01-01T00:00:00Z"}}`))
	f.Add([]byte(`{"x": {"path": "../y"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		manifest, err := source.DecodeManifest(text)
		if err != nil {
			return
		}
		for url, file := range manifest {
			if file.Path == "" || file.Path[0] == '/' || file.Path == ".." {
				t.Errorf("%s: %q", url, file.Path)
			}
		}
	})
}
