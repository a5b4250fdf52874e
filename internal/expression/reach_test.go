package expression_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/platform/geoip"
)

func sum(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:])[:12]
}

func TestHelpersWithoutTheirDependency(t *testing.T) {
	t.Parallel()
	log := new(bytes.Buffer)
	lib := expression.New(expression.Deps{Log: slog.New(slog.NewTextHandler(log, nil))})
	run(t, lib, []row{
		{expr: `File("x")`, want: []string{}},
		{expr: `FileMap("x")`, want: []map[string]string{}},
		{expr: `LookupFile("a", "x")`, want: ""},
		{expr: `RegexpInFile("a", "x")`, want: false},
		{expr: `MatchKnownBot("192.0.2.7", "agent", "/", "x")`, want: false},
		{expr: `GeoIPEnrich("192.0.2.7") == nil`, want: true},
		{expr: `GeoIPEnrich("192.0.2.7")?.Country.IsoCode ?? "none"`, want: "none"},
		{expr: `GeoIPEnrich("192.0.2.7").Country.IsoCode`, err: "zero Value"},
		{expr: `GeoIPASNEnrich("192.0.2.7") == nil`, want: true},
		{expr: `GeoIPRangeEnrich("192.0.2.7") == nil`, want: true},
		{expr: `IPToCountry("192.0.2.7")`, want: ""},
		{expr: `GetFromStash("x", "k")`, want: ""},
		{expr: `SetInStash("x", "k", "v", nil)`, want: nil},
		{expr: `LookupHost("localhost")`, want: []string{}},
		{expr: `GetDecisionsCount("192.0.2.7")`, want: 0},
		{expr: `GetDecisionsSinceCount("192.0.2.7", "7d")`, want: 0},
		{expr: `GetActiveDecisionsCount("192.0.2.7")`, want: 0},
		{expr: `GetActiveDecisionsTimeLeft("192.0.2.7")`, want: time.Duration(0)},
		{expr: `HTTPGet("http://127.0.0.1/")`, err: "http is not available"},
		{expr: `CrowdsecCTI("192.0.2.7").GetMaliciousnessScore()`, err: "cti is not configured"},
	}, variables{})
	for _, message := range []string{
		`level=ERROR msg="data file is not loaded" file=x type=regexp`,
		`level=WARN msg="stash is not declared" stash=x`,
		`level=ERROR msg="decisions are not available to expressions"`,
	} {
		if !strings.Contains(log.String(), message) {
			t.Errorf("log lacks %s: %s", message, log)
		}
	}
}

func TestDataFileHelpers(t *testing.T) {
	t.Parallel()
	dir, set := t.TempDir(), datafile.New(slog.New(slog.DiscardHandler), time.Now)
	for name, content := range map[string]string{
		"string": "# list\none\n\n two \n",
		"regexp": "^bot/[0-9]+$\n(?i)crawler\n",
		"map":    `{"pattern":"/x","tag":"X","type":"equals"}` + "\n" + `{"pattern":"adm","tag":"A","type":"contains","extra":"e"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := set.Load(datafile.Entry{DestFile: name, Type: name}, dir); err != nil {
			t.Fatal(err)
		}
	}
	run(t, expression.New(expression.Deps{Data: set}), []row{
		{expr: `File("string")`, want: []string{"one", " two "}},
		{expr: `any(File("string"), {"twenty-one" contains #})`, want: true},
		{expr: `File("map")`, want: []string{}},
		{expr: `RegexpInFile("bot/12", "regexp")`, want: true},
		{expr: `RegexpInFile("a CRAWLER b", "regexp")`, want: true},
		{expr: `RegexpInFile("bot/", "regexp")`, want: false},
		{expr: `LookupFile("/x", "map")`, want: "X"},
		{expr: `LookupFile("/x/admin", "map")`, want: "A"},
		{expr: `LookupFile("/y", "map")`, want: ""},
		{expr: `FileMap("map")[1].extra`, want: "e"},
		{expr: `len(FileMap("map"))`, want: 2},
	}, variables{})
}

func TestStashHelpers(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-01-02T03:04:05Z")
	clock := func() time.Time { return now }
	kept := stash.New(clock)
	if err := kept.Declare(stash.Spec{Name: "pids", TTL: time.Minute}); err != nil {
		t.Fatal(err)
	}
	type env struct {
		Second *time.Duration `expr:"second"`
	}
	lib := expression.New(expression.Deps{Stash: kept, Now: clock})
	evaluate := func(text string) any {
		t.Helper()
		program, err := lib.CompileAny(text, env{})
		if err != nil {
			t.Fatal(err)
		}
		second := time.Second
		got, err := program.Eval(env{Second: &second})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := evaluate(`SetInStash("pids", "1", "init", nil) ?? SetInStash("pids", "2", "sh", second)`); got != nil {
		t.Fatalf("SetInStash yields %v", got)
	}
	const both = `GetFromStash("pids", "1") + "," + GetFromStash("pids", "2") + "," + GetFromStash("pids", "3")`
	for _, step := range []struct {
		pass time.Duration
		want string
	}{{0, "init,sh,"}, {time.Second, "init,,"}, {time.Minute, ",,"}} {
		now = now.Add(step.pass)
		if got := evaluate(both); got != step.want {
			t.Errorf("after %v: %q, want %q", step.pass, got, step.want)
		}
	}
}

type decisions struct{ since time.Time }

func (d *decisions) CountDecisions(_ context.Context, value string) (int, error) {
	if value == "broken" {
		return 0, errLost
	}
	return 7, nil
}

func (d *decisions) CountDecisionsSince(_ context.Context, _ string, since time.Time) (int, error) {
	d.since = since
	return 3, nil
}

func (d *decisions) CountActiveDecisions(context.Context, string) (int, error) { return 2, nil }

func (d *decisions) ActiveDecisionsTimeLeft(context.Context, string) (time.Duration, error) {
	return time.Hour, nil
}

func TestDecisionHelpers(t *testing.T) {
	t.Parallel()
	now, store := at(t, "2026-01-08T03:04:05Z"), &decisions{}
	lib := expression.New(expression.Deps{Decisions: store, Now: func() time.Time { return now }})
	run(t, lib, []row{
		{expr: `GetDecisionsCount("192.0.2.7")`, want: 7},
		{expr: `Sprintf("%dh", (GetDecisionsCount("192.0.2.7") + 1) * 4)`, want: "32h"},
		{expr: `GetDecisionsCount("broken")`, err: "lost in translation"},
		{expr: `GetActiveDecisionsCount("192.0.2.7")`, want: 2},
		{expr: `GetActiveDecisionsTimeLeft("192.0.2.7")`, want: time.Hour},
		{expr: `GetActiveDecisionsTimeLeft("192.0.2.7") > duration("30m")`, want: true},
		{expr: `GetDecisionsSinceCount("192.0.2.7", "soon")`, err: "invalid duration"},
		{expr: `GetDecisionsSinceCount("192.0.2.7", "7d")`, want: 3},
	}, variables{})
	if want := at(t, "2026-01-01T03:04:05Z"); !store.since.Equal(want) {
		t.Errorf("asked since %v, want %v", store.since, want)
	}
}

type resolver map[string][]string

func (r resolver) LookupHost(_ context.Context, host string) ([]string, error) {
	if addresses, ok := r[host]; ok {
		return addresses, nil
	}
	return nil, errors.New("no such host")
}

func (r resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return r.LookupHost(ctx, addr)
}

func TestHostHelpers(t *testing.T) {
	t.Parallel()
	log := new(bytes.Buffer)
	lib := expression.New(expression.Deps{
		Log:      slog.New(slog.NewTextHandler(log, nil)),
		Resolver: resolver{"a.example": {"192.0.2.7"}},
		Hostname: func() (string, error) { return "box", nil },
	})
	run(t, lib, []row{
		{expr: `LookupHost("a.example")`, want: []string{"192.0.2.7"}},
		{expr: `LookupHost("b.example")`, want: []string{}},
		{expr: `Hostname()`, want: "box"},
		{expr: `LogInfo("saw %s %d times", "it", 2)`, want: true},
	}, variables{})
	if !strings.Contains(log.String(), `level=INFO msg="expression says" text="saw it 2 times"`) {
		t.Errorf("log is %s", log)
	}
}

// places knows one network.
type places struct{}

func (places) knows(addr netip.Addr) bool {
	return netip.MustParsePrefix("192.0.2.0/25").Contains(addr)
}

func (p places) City(addr netip.Addr) (geoip.City, bool, error) {
	if !p.knows(addr) {
		return geoip.City{}, true, nil
	}
	return geoip.City{Country: "FR"}, true, nil
}

func (p places) Record(addr netip.Addr) (*geoip.Record, error) {
	switch {
	case addr.Is6():
		return nil, errLost
	case !p.knows(addr):
		return &geoip.Record{}, nil
	}
	return &geoip.Record{Country: geoip.Country{IsoCode: "FR"}, Location: geoip.Location{Latitude: 48.5}}, nil
}

func (p places) Network(addr netip.Addr) (geoip.Network, bool, error) {
	if !p.knows(addr) {
		return geoip.Network{}, true, nil
	}
	return geoip.Network{Number: 64500, Organization: "Example", Prefix: netip.MustParsePrefix("192.0.2.0/25")}, true, nil
}

func TestPlaceHelpers(t *testing.T) {
	t.Parallel()
	run(t, expression.New(expression.Deps{GeoIP: places{}}), []row{
		{expr: `GeoIPEnrich("192.0.2.7").Country.IsoCode`, want: "FR"},
		{expr: `GeoIPEnrich("192.0.2.7").Location.Latitude > 48`, want: true},
		{expr: `GeoIPEnrich("192.0.2.200").Country.IsoCode`, want: ""},
		{expr: `GeoIPEnrich("nowhere") == nil`, want: true},
		{expr: `GeoIPEnrich("2001:db8::1")`, err: "lost in translation"},
		{expr: `GeoIPASNEnrich("192.0.2.7").AutonomousSystemNumber`, want: uint(64500)},
		{expr: `GeoIPASNEnrich("192.0.2.7").AutonomousSystemOrganization`, want: "Example"},
		{expr: `GeoIPASNEnrich("192.0.2.200").AutonomousSystemNumber`, want: uint(0)},
		{expr: `GeoIPRangeEnrich("192.0.2.7").String()`, want: "192.0.2.0/25"},
		{expr: `GeoIPRangeEnrich("192.0.2.200") == nil`, want: true},
		{expr: `IPToCountry("192.0.2.7")`, want: "FR"},
		{expr: `IPToCountry("192.0.2.200")`, want: ""},
		{expr: `IPToCountry("nowhere")`, want: ""},
	}, variables{})
}

func TestMatchKnownBot(t *testing.T) {
	t.Parallel()
	dir, set := t.TempDir(), datafile.New(slog.New(slog.DiscardHandler), time.Now)
	for name, content := range map[string]string{
		"a": `{"name":"a","user_agent":"GoodBot","ips":["192.0.2.1"]}`,
		"b": `{"name":"b","user_agent":"crawler","paths":["/feed"],"rdns":["bot.example"]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := set.Load(datafile.Entry{DestFile: name, Type: "bots"}, dir); err != nil {
			t.Fatal(err)
		}
	}
	names := resolver{
		"192.0.2.2": {"x.bot.example."}, "x.bot.example.": {"192.0.2.9", "192.0.2.2"},
		"192.0.2.3": {"x.bot.example.", "y.bot.example."}, // neither of which says so too
	}
	run(t, expression.New(expression.Deps{Data: set, Resolver: names}), []row{
		{expr: `MatchKnownBot("192.0.2.1", "goodbot/1", "/", "a", "b")`, want: true},
		{expr: `MatchKnownBot("192.0.2.1", "goodbot/1", "/", "b")`, want: false},
		{expr: `MatchKnownBot("192.0.2.1", "goodbot/1", "/")`, want: false},
		{expr: `MatchKnownBot("192.0.2.2", "crawler", "/Feed?a=b", "a", "b")`, want: true},
		{expr: `MatchKnownBot("::ffff:192.0.2.2", "crawler", "/feed", "b")`, want: true},
		{expr: `MatchKnownBot("192.0.2.2", "crawler", "/", "a", "b")`, want: false},
		{expr: `MatchKnownBot("192.0.2.3", "crawler", "/feed", "b")`, want: false},
		{expr: `MatchKnownBot("192.0.2.4", "crawler", "/feed", "b")`, want: false},
		{expr: `MatchKnownBot("nobody", "goodbot", "/", "a")`, want: false},
		{expr: `MatchKnownBot("192.0.2.1", text, "/", value)`, err: "argument 4 is int"},
	}, variables{Text: "goodbot", Value: 7})
}

func TestAMissingFileIsReportedOnce(t *testing.T) {
	t.Parallel()
	log := new(bytes.Buffer)
	lib := expression.New(expression.Deps{Log: slog.New(slog.NewTextHandler(log, nil))})
	for range 3 {
		run(t, lib, []row{
			{expr: `File("x")`, want: []string{}},
			{expr: `RegexpInFile("a", "x")`, want: false},
			{expr: `LookupFile("a", "y")`, want: ""},
		}, variables{})
	}
	if got := strings.Count(log.String(), "level=ERROR"); got != 3 {
		t.Errorf("%d reports, want one a name and type: %s", got, log)
	}
}

func TestWebHelpers(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Method", r.Method)
		if r.URL.Path == "/large" {
			_, _ = io.Copy(w, io.LimitReader(endless{}, 10<<20+1))
			return
		}
		w.WriteHeader(http.StatusTeapot)
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s %s", r.Method, r.Header.Get("Content-Type"), r.Header.Get("X-Count"), body)
	}))
	t.Cleanup(server.Close)
	run(t, expression.New(expression.Deps{HTTP: server.Client()}), []row{
		{expr: `HTTPGet(text).StatusCode`, want: 418},
		{expr: `HTTPGet(text).Body`, want: "GET   "},
		{expr: `HTTPGet(text).Headers["X-Method"]`, want: []string{"GET"}},
		{expr: `HTTPGet(text).Headers.Get("x-method")`, want: "GET"},
		{expr: `HTTPHead(text).Headers.Get("x-method")`, want: "HEAD"},
		{expr: `HTTPHead(text).Body`, want: ""},
		{expr: `HTTPPost(text, "text/plain", "hello").Body`, want: "POST text/plain  hello"},
		{expr: `HTTPRequest("PUT", text, {"X-Count": 3}, "x").Body`, want: "PUT  3 x"},
		{expr: `len(HTTPGet(text + "/large").Body)`, want: 10 << 20},
		{expr: `HTTPGet("http://127.0.0.1:0/")`, err: "dial tcp"},
		{expr: `HTTPGet("://")`, err: "missing protocol scheme"},
	}, variables{Text: server.URL})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("x"), len(p))), nil }
