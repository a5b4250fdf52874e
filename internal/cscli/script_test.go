package cscli_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/bcrypt"

	"shieldwall/internal/cscli"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/pki"
	"shieldwall/internal/platform/buildinfo"
	"shieldwall/internal/platform/tlsfiles"
)

// now is the time in every script.
func now() time.Time { return time.Date(2026, 11, 21, 19, 22, 13, 0, time.UTC) }

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cscli":    run,
			"localapi": serveLocalAPI,
			"seed":     seed,
			"input":    input,
			"cmpexact": compareExactly,
			"hub":      serveHub,

			"issuing":  serveIssuing,
			"tap":      serveTap,
			"remember": remember,

			"seedallowlist": seedAllowlist,
			"seedusage":     seedUsage,
			"report":        storeReport,
			"seednodes":     seedNodes,
			"unzip":         unpack,
			"expand":        expand,
		},
	})
}

// run is the command cscli, in this process, with a fixed clock, repeatable randomness and a known build.
// The configuration of the script is the default one.
func run(ts *testscript.TestScript, neg bool, args []string) {
	env := session.Env{
		Stdin:          strings.NewReader(ts.Getenv("STDIN")),
		Stdout:         ts.Stdout(),
		Stderr:         ts.Stderr(),
		ReadPassword:   func() (string, error) { return typed(ts.Getenv("TYPED")) },
		LookupEnv:      func(name string) (string, bool) { return ts.Getenv(name), ts.Getenv(name) != "" },
		Now:            now,
		Random:         rand.NewChaCha8([32]byte{}),
		MachineIDFiles: []string{ts.MkAbs("machine-id")},
		User:           "alice",
		Hostname:       "web-1",
		Columns:        columns(ts),
		Build:          buildinfo.Info{Version: "v1.7.4", Codename: "test", BuildDate: "today", GoVersion: "1.26", System: "linux"},
	}
	if !slices.Contains(args, "-c") {
		args = append([]string{"-c", ts.MkAbs("config.yaml")}, args...)
	}
	if code := cscli.Main(context.Background(), env, args); neg != (code == 1) || code > 1 {
		ts.Fatalf("unexpected exit code %d", code)
	}
}

// columns is the width of the terminal of a script, 0 without one.
func columns(ts *testscript.TestScript) int {
	width, _ := strconv.Atoi(ts.Getenv("COLUMNS"))
	return width
}

// input gives the commands that follow a file as their standard input.
func input(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: input file")
	}
	ts.Setenv("STDIN", ts.ReadFile(args[0]))
}

func typed(text string) (string, error) {
	if text == "" {
		return "", io.EOF
	}
	return text, nil
}

const configuration = `
config_paths: {data_dir: $WORK}
db_config: {type: sqlite, db_path: $WORK/crowdsec.db, use_wal: false}
api:
  client: {credentials_path: $WORK/credentials.yaml}
  server: {listen_uri: 127.0.0.1:8080, profiles_path: $WORK/profiles.yaml}
`

// setUp gives a script config.yaml, the machine "tester" with its credentials, and a Local API at $LAPI
// that answers with the files of the script.
func setUp(env *testscript.Env) error {
	server := httptest.NewServer(&scriptedAPI{dir: env.WorkDir})
	env.Defer(server.Close)
	env.Setenv("LAPI", server.URL)
	address := server.Listener.Addr().String()
	env.Setenv("HOSTPORT", address)
	env.Setenv("PORT", address[strings.LastIndex(address, ":")+1:])
	for name, content := range map[string]string{
		"config.yaml":      configuration,
		"credentials.yaml": string(credentialsFor(server.URL)),
		"machine-id":       "3d1219c7-c4c5-404a-aa1f-6d2a48adfda4\n",
	} {
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func credentialsFor(url string) []byte {
	return []byte("url: " + url + "\nlogin: tester\npassword: secret\n")
}

// scriptedAPI writes every request to the file "requests" and answers with the file that is named after
// method and path, as in api/GET_v1_alerts. A first line "HTTP 500" is the status. Without a file the
// answer is 404.
type scriptedAPI struct {
	dir string

	mu sync.Mutex // guards the file of requests
}

func (a *scriptedAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.record(r)
	name := r.Method + strings.ReplaceAll(r.URL.EscapedPath(), "/", "_")
	answer, err := os.ReadFile(filepath.Join(a.dir, "api", name))
	switch {
	case err == nil:
	case name == "POST_v1_watchers_login":
		answer = []byte(`{"code":200,"expire":"2099-01-01T00:00:00Z","token":"t"}`)
	default:
		answer = []byte("HTTP 404\n")
	}
	if status, body, ok := bytes.Cut(answer, []byte("\n")); ok && bytes.HasPrefix(status, []byte("HTTP ")) {
		code, _ := strconv.Atoi(string(status[len("HTTP "):]))
		w.WriteHeader(code)
		answer = body
	}
	_, _ = w.Write(answer)
}

func (a *scriptedAPI) record(r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	line := strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)) + "\n"
	file, err := os.OpenFile(filepath.Join(a.dir, "requests"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return // the script misses the file
	}
	_, _ = file.WriteString(line)
	_ = file.Close()
}

// serveLocalAPI starts a real Local API on the database of the script, sets $LAPI to it and makes "tester"
// known there. The hash of its password is a cheap one: every command logs in.
func serveLocalAPI(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: localapi")
	}
	ctx := context.Background()
	db := open(ctx, ts)
	ts.Defer(func() { ts.Check(db.Close()) })
	api, err := localapi.New(ctx, localapi.Config{
		Secret:     bytes.Repeat([]byte("x"), 64),
		TrustedIPs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}, localapi.Deps{Store: db, Now: now})
	ts.Check(err)
	server := httptest.NewServer(api.Handler())
	ts.Defer(server.Close)
	ts.Setenv("LAPI", server.URL)
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	ts.Check(err)
	ts.Check(db.AddMachine(ctx, domain.Machine{
		ID: "tester", PasswordHash: string(hash), Validated: true, AuthType: domain.AuthPassword,
	}))
	ts.Check(os.WriteFile(ts.MkAbs("credentials.yaml"), credentialsFor(server.URL), 0o600))
}

// serveIssuing starts a Local API with the authority in $WORK/pki and its certificate "lapi", and sets $SECURE to it.
func serveIssuing(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: issuing")
	}
	ctx := context.Background()
	db := open(ctx, ts)
	ts.Defer(func() { ts.Check(db.Close()) })
	authority, err := pki.Open(ts.MkAbs("pki"), pki.Options{Now: now})
	ts.Check(err)
	api, err := localapi.New(ctx, localapi.Config{Secret: bytes.Repeat([]byte("x"), 64)}, localapi.Deps{Store: db, Now: now, Authority: authority})
	ts.Check(err)
	pair, err := tlsfiles.Pair(ts.MkAbs("pki/issued/lapi.pem"), ts.MkAbs("pki/issued/lapi-key.pem"))
	ts.Check(err)
	root, err := tlsfiles.Certificates(ts.MkAbs("pki/ca.pem"))
	ts.Check(err)
	pair.Certificate = append(pair.Certificate, root[0].Raw)
	server := httptest.NewUnstartedServer(api.Handler())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{*pair}}
	server.StartTLS()
	ts.Defer(server.Close)
	ts.Setenv("SECURE", server.URL)
	ts.Setenv("SECUREHOSTPORT", server.Listener.Addr().String())
}

// serveTap listens where a log processor would, grants every request and shows the lines of a file, as they are.
func serveTap(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tap file")
	}
	shown := ts.ReadFile(args[0])
	listener, err := net.Listen("unix", ts.MkAbs("tap.sock"))
	ts.Check(err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the script has ended
			}
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_, _ = io.WriteString(conn, shown) // the script sees what arrives
			_ = conn.Close()
		}
	})
	ts.Defer(func() {
		ts.Check(listener.Close())
		serving.Wait()
	})
}

// remember gives a variable the text of a file, as of stdout.
func remember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: remember VARIABLE file")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

func open(ctx context.Context, ts *testscript.TestScript) *sql.Store { return openAt(ctx, ts, now) }

func openAt(ctx context.Context, ts *testscript.TestScript, now func() time.Time) *sql.Store {
	noWAL := false
	db, err := sql.Open(ctx, sql.Config{Type: "sqlite", Path: ts.MkAbs("crowdsec.db"), WAL: &noWAL, Now: now}, slog.New(slog.DiscardHandler))
	ts.Check(err)
	return db
}

// expand copies a file, with WORKDIR replaced by the folder of the script.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: expand from to")
	}
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "WORKDIR", ts.MkAbs("."))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// unpack makes the folder "unpacked" of an archive. The folders in the names of acquisition files are left out: they are
// those of the script.
func unpack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: unzip file")
	}
	archive, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer archive.Close() //nolint:errcheck // only read
	for _, file := range archive.File {
		reader, err := file.Open()
		ts.Check(err)
		text, err := io.ReadAll(reader)
		ts.Check(err)
		name := file.Name
		if at := strings.LastIndex(name, "___"); at >= 0 {
			name = "config/acquis/" + name[at+len("___"):]
		}
		path := filepath.Join(ts.MkAbs("unpacked"), name)
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
		ts.Check(os.WriteFile(path, text, 0o600))
	}
}

// compareExactly is cmp for output without a newline at its end, which a file of a script always has.
func compareExactly(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cmpexact stdout file")
	}
	got, want := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	if got != strings.TrimSuffix(want, "\n") {
		ts.Fatalf("got %q\nwant %q", got, want)
	}
}

// seed fills the database with machines and bouncers that the commands cannot make.
func seed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: seed [machines|bouncers]")
	}
	ctx := context.Background()
	db := open(ctx, ts)
	defer func() { ts.Check(db.Close()) }()
	if len(args) == 0 || args[0] == "machines" {
		seedMachines(ctx, ts, db)
	}
	if len(args) == 0 || args[0] == "bouncers" {
		seedBouncers(ctx, ts, db)
	}
}

// seedAllowlist adds an allowlist of the console.
func seedAllowlist(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: seedallowlist")
	}
	ctx := context.Background()
	db := open(ctx, ts)
	defer func() { ts.Check(db.Close()) }()
	_, err := db.CreateAllowlist(ctx, domain.Allowlist{Name: "managed", Description: "d", FromConsole: true, ConsoleID: "c1"})
	ts.Check(err)
}

// seedUsage stores reports of the machine "alive" and the bouncer "fw".
func seedUsage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: seedusage")
	}
	ctx := context.Background()
	db := open(ctx, ts)
	defer func() { ts.Check(db.Close()) }()
	const report = `{"metrics":[{"items":[
		{"name":"read","unit":"line","value":7,"labels":{"datasource_type":"file","source":"/var/log/auth.log","acquis_type":"syslog"}},
		{"name":"global_parsed","unit":"line","value":5,"labels":{"datasource_type":"file","source":"/var/log/auth.log","acquis_type":"syslog"}},
		{"name":"global_unparsed","unit":"line","value":2,"labels":{"datasource_type":"file","source":"/var/log/auth.log","acquis_type":"syslog"}},
		{"name":"parsed","unit":"line","value":5,"labels":{"datasource_type":"file","source":"/var/log/auth.log","acquis_type":"syslog","parser_name":"acme/ssh","parser_stage":"s01-parse"}},
		{"name":"whitelisted","unit":"event","value":1}]}]}`
	for range 2 {
		ts.Check(db.AddUsage(ctx, domain.UsageReport{Kind: domain.UsageLogProcessor, From: "alive", Payload: report}, store.UsageSender{
			Version: "v1.7.4", OSName: "debian", OSFamily: "debian", OSVersion: "13", FeatureFlags: []string{"a", "b"},
			HubState:    `{"parsers":[{"name":"local/p","status":"custom"}],"collections":[{"name":"acme/linux","version":"0.2","status":"official"}],"contexts":[]}`,
			Datasources: `{"syslog":1,"file":2}`,
		}))
	}
	ts.Check(db.AddUsage(ctx, domain.UsageReport{Kind: domain.UsageRemediation, From: "fw", Payload: report}, store.UsageSender{
		Version: "v0.0.34", OSName: "debian", OSVersion: "13", FeatureFlags: []string{"x"},
	}))
}

// seedNodes stores three nodes: one that is busy, one that is behind, and one that was killed.
func seedNodes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: seednodes")
	}
	ctx := context.Background()
	for _, n := range []struct {
		domain.Node
		seen time.Duration // ago
		job  string
	}{
		{domain.Node{Hostname: "lapi-1", PID: 77, Address: "10.0.0.11:8080", Version: "v1.7.4", StartedAt: now().Add(-50 * time.Hour)}, time.Second, "flush"},
		{domain.Node{Hostname: "lapi-2", PID: 78, Address: "10.0.0.12:8080", Version: "v1.7.4", StartedAt: now().Add(-3*time.Hour - 5*time.Second)}, 4200 * time.Millisecond, ""},
		{domain.Node{Hostname: "lapi-3", PID: 79, Address: "10.0.0.13:8080", Version: "v1.7.3", StartedAt: now().Add(-90 * time.Second)}, time.Minute, "pull"},
	} {
		db := openAt(ctx, ts, func() time.Time { return now().Add(-n.seen) })
		_, err := db.AddAlerts(ctx, []domain.Alert{{Scenario: "s", Decisions: []domain.Decision{
			{Scope: domain.ScopeIP, Value: "192.0.2.1", Until: now().Add(time.Hour)},
		}}})
		ts.Check(err)
		n.ID, n.Applied = n.Hostname+"-0", 1
		_, err = db.SeenNode(ctx, n.Node)
		ts.Check(err)
		if n.job != "" {
			_, err = db.Acquire(ctx, n.job, n.ID, 15*time.Second)
			ts.Check(err)
		}
		ts.Check(db.Close())
	}
}

// storeReport stores the usage report of a machine (LP) or a bouncer (RC), which must exist.
func storeReport(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: report LP|RC name file")
	}
	ctx := context.Background()
	db := open(ctx, ts)
	defer func() { ts.Check(db.Close()) }()
	ts.Check(db.AddUsage(ctx, domain.UsageReport{
		Kind: domain.UsageKind(args[0]), From: args[1], Payload: ts.ReadFile(args[2]),
	}, store.UsageSender{}))
}

func seedMachines(ctx context.Context, ts *testscript.TestScript, db *sql.Store) {
	for _, m := range []domain.Machine{
		{ID: "alive", IPAddress: "127.0.0.1", Version: "v1.7.4-linux", OSName: "debian", OSVersion: "12.11", Validated: true},
		{ID: "silent", IPAddress: "10.0.0.2", Validated: true},
		{ID: "pending"},
	} {
		m.AuthType = domain.AuthPassword
		ts.Check(db.AddMachine(ctx, m))
	}
	for id, age := range map[string]time.Duration{"alive": 37*time.Second + 400*time.Millisecond, "silent": 400 * time.Second} {
		at := now().Add(-age)
		ts.Check(db.UpdateMachine(ctx, id, store.MachineChange{LastHeartbeat: &at}))
	}
}

func seedBouncers(ctx context.Context, ts *testscript.TestScript, db *sql.Store) {
	for _, b := range []domain.Bouncer{
		{Name: "fw", KeyHash: "a", Type: "crowdsec-firewall-bouncer", Version: "v0.0.34", IPAddress: "127.0.0.1", AuthType: domain.AuthAPIKey},
		{Name: "fw@10.0.0.2", KeyHash: "a", IPAddress: "10.0.0.2", AuthType: domain.AuthAPIKey, AutoCreated: true},
		{Name: "cert@10.0.0.3", KeyHash: "b", IPAddress: "10.0.0.3", AuthType: domain.AuthTLS, AutoCreated: true},
	} {
		added, err := db.AddBouncer(ctx, b)
		ts.Check(err)
		if b.Name == "fw" {
			at := now()
			ts.Check(db.UpdateBouncer(ctx, added.ID, store.BouncerChange{LastPull: &at}))
		}
	}
}
