package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// certified is a Local API with TLS and an authority of its own.
type certified struct {
	*instance
}

// newCertified makes an authority, with certificates that live so long, and a configuration with a line of options for tls.
// The Local API is not started.
func newCertified(t *testing.T, lifetime time.Duration, options string) certified {
	t.Helper()
	api := certified{newInstance(t, "")}
	api.write("config.yaml", fmt.Sprintf(`
config_paths: {config_dir: %[1]s, data_dir: %[1]s/data}
db_config: {type: sqlite, db_path: %[1]s/data/crowdsec.db, use_wal: true}
api:
  client: {credentials_path: %[1]s/local_api_credentials.yaml}
  server:
    listen_uri: %[2]s
    profiles_path: %[1]s/profiles.yaml
    trusted_ips: [127.0.0.1]
    pki: {dir: %[1]s/pki}
    tls: {cert_file: %[1]s/pki/issued/lapi.pem, key_file: %[1]s/pki/issued/lapi-key.pem, %[3]s}
`, api.dir, api.address, options))
	api.cscli("pki", "init", "--lifetime", lifetime.String())
	api.cscli("pki", "issue", "server", "lapi", "--host", "127.0.0.1")
	api.write("local_api_credentials.yaml", api.credentials(api.issue("agent", "admin")))
	return api
}

// pair is a certificate with its key, and the authorities that its owner trusts.
type pair struct{ bundle, cert, key string }

// issue has a certificate issued on the machine of the authority.
func (a certified) issue(kind, name string, args ...string) pair {
	a.t.Helper()
	var issued struct {
		Bundle      string `json:"bundle"`
		Certificate string `json:"certificate"`
		Key         string `json:"key"`
	}
	if err := json.Unmarshal([]byte(a.cscli(append([]string{"pki", "issue", kind, name, "-o", "json"}, args...)...)), &issued); err != nil {
		a.t.Fatal(err)
	}
	return pair{issued.Bundle, issued.Certificate, issued.Key}
}

func (a certified) url() string { return "https://" + a.address + "/" }

func (p pair) lines() string {
	text := "ca_cert_path: " + p.bundle + "\n"
	if p.cert != "" {
		text += "cert_path: " + p.cert + "\nkey_path: " + p.key + "\n"
	}
	return text
}

func (a certified) credentials(p pair) string { return "url: " + a.url() + "\n" + p.lines() }

// startFirewall starts a component that enforces nothing. More are lines of its configuration.
func (a certified) startFirewall(more string) *process {
	a.t.Helper()
	in := newInstance(a.t, "")
	in.write("firewall.yaml", "mode: dry-run\nupdate_frequency: 1s\nlog_mode: stdout\n"+more)
	return in.start("crowdsec-firewall-bouncer", "-c", in.path("firewall.yaml"))
}

// awaitLine waits until the program has printed a line with all the parts.
func (p *process) awaitLine(parts ...string) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%s prints a line with %q", filepath.Base(p.cmd.Path), parts), func() bool {
		printed, err := os.ReadFile(p.logs)
		return err == nil && slices.ContainsFunc(strings.Split(string(printed), "\n"), func(line string) bool {
			return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) })
		})
	})
}

// firstCertificate reads a file as it is now.
func firstCertificate(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s is no PEM", path)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// visitor asks for decisions as a bouncer, again and again, each time on a connection of its own.
type visitor struct {
	client   *http.Client
	url      string
	asked    atomic.Int64
	mu       sync.Mutex
	failures []string
	serials  map[string]bool // of the certificates of the server that it has seen
}

func newVisitor(t *testing.T, url string, p pair) *visitor {
	t.Helper()
	authorities, err := os.ReadFile(p.bundle)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authorities)
	v := &visitor{url: url, serials: map[string]bool{}}
	v.client = &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		RootCAs: pool,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			certificate, err := tls.LoadX509KeyPair(p.cert, p.key)
			return &certificate, err
		},
	}}}
	return v
}

func (v *visitor) run(ctx context.Context) {
	for ctx.Err() == nil {
		serial, err := v.ask()
		v.asked.Add(1)
		v.mu.Lock()
		if err != nil {
			v.failures = append(v.failures, err.Error())
		}
		v.serials[serial] = true
		v.mu.Unlock()
	}
}

func (v *visitor) ask() (serial string, err error) {
	answer, err := v.client.Get(v.url + "v1/decisions")
	if err != nil {
		return "", err
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", answer.StatusCode)
	}
	return answer.TLS.PeerCertificates[0].SerialNumber.String(), nil
}

func (v *visitor) seen() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.serials)
}

// TestCertificatesAreReplacedWhileEverythingRuns swaps the certificates of the server, of a log processor and of two
// bouncers under steady traffic, the server's once with another key, file by file. Nobody is refused, and no alert and no
// ban is missing.
func TestCertificatesAreReplacedWhileEverythingRuns(t *testing.T) {
	t.Parallel()
	const rounds = 3
	api := newCertified(t, 24*time.Hour, "client_verification: RequireAndVerifyClientCert")
	engine := api.startEngine("-no-cs")
	agent := newAgent(t, api.credentials(api.issue("agent", "agent-1")))
	firewall := api.startFirewall("api_url: " + api.url() + "\n" + api.issue("bouncer", "fw").lines())
	firewall.await("Processing new and deleted decisions")
	steady := newVisitor(t, api.url(), api.issue("bouncer", "steady"))
	ctx, stop := context.WithCancel(t.Context())
	var visits sync.WaitGroup
	for range 4 {
		visits.Go(func() { steady.run(ctx) })
	}
	defer visits.Wait()
	defer stop()

	eventually(t, "somebody is served", func() bool { return steady.seen() == 1 })
	attackers := 0
	for round := range rounds {
		if round == rounds-1 {
			other := api.issue("server", "lapi-2", "--host", "127.0.0.1", "--out", api.path("other"))
			rename(t, other.cert, api.path("pki/issued/lapi.pem"))
			rename(t, other.key, api.path("pki/issued/lapi-key.pem"))
		} else {
			api.cscli("pki", "renew", "lapi")
		}
		for _, name := range []string{"agent-1", "fw", "steady"} {
			api.cscli("pki", "renew", name)
		}
		eventually(t, "the new certificate of the server is shown", func() bool {
			if attackers < 80*(round+1) { // there are not more addresses
				agent.log(bruteForce(attacker(attackers))...)
				attackers++
			}
			time.Sleep(100 * time.Millisecond) // a pace for the attack, not a wait
			return steady.seen() == round+2
		})
	}
	eventually(t, "every attacker has an alert", func() bool { return len(api.alerts()) >= attackers })
	eventually(t, "every attacker is banned", func() bool { return len(firewall.bans(t)) >= attackers })
	stop()
	visits.Wait()

	stored := map[string]int{}
	for _, alert := range api.alerts() {
		stored[alert.Source.Value]++
	}
	expectOnce(t, "alerts", stored, attackers)
	expectOnce(t, "bans", firewall.bans(t), attackers)
	for _, failure := range steady.failures {
		if !strings.Contains(failure, context.Canceled.Error()) {
			t.Errorf("refused: %s", failure)
		}
	}
	for _, refused := range []string{"access refused", "TLS handshake failed"} {
		if count := engine.count(refused); count != 0 {
			t.Errorf("%d lines of the Local API: %s", count, refused)
		}
	}
	t.Logf("measured: certificates: %d swaps of 4 certificates under %d requests on connections of their own, %d alerts and bans: %d refused",
		rounds, steady.asked.Load(), attackers, len(steady.failures))
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// TestRevokedCertificatesAreRefused: who is revoked is refused seconds later, although the outcome of a check would hold for
// an hour, although connections are open and although a log processor has a token. Both sides say why.
func TestRevokedCertificatesAreRefused(t *testing.T) {
	t.Parallel()
	api := newCertified(t, 24*time.Hour, "cache_expiration: 1h")
	engine := api.startEngine("-no-cs")
	agent := newInstance(t, "")
	agent.installPatient()
	agent.write("local_api_credentials.yaml", api.credentials(api.issue("agent", "agent-1")))
	agent.log("the log exists")
	processor := agent.startEngine("-no-api")
	processor.await("following log file")
	agent.log(bruteForce(attacker(0))...)
	eventually(t, "the alert is stored", func() bool { return len(api.alerts()) == 1 })
	firewall := api.startFirewall("api_url: " + api.url() + "\n" + api.issue("bouncer", "fw").lines())
	firewall.await(attacker(0))

	began := time.Now()
	api.cscli("pki", "revoke", "agent-1")
	api.cscli("pki", "revoke", "fw")
	var later int
	eventually(t, "the bouncer is refused", func() bool {
		later++
		api.cscli("decisions", "add", "--ip", fmt.Sprintf("198.51.100.%d", later)) // ends what is held open
		return engine.count("certificate revoked by CRL") > 0
	})
	engine.awaitLine("access refused", "side=bouncer", "certificate revoked by CRL", `subject="CN=fw,`, `issuer="CN=Shieldwall Intermediate CA,`)
	took := time.Since(began)
	firewall.awaitLine("the Local API refuses our certificate: CN=fw,", "issued by CN=Shieldwall Intermediate CA,", "certificate revoked by CRL")
	agent.log(bruteForce(attacker(1))...)
	engine.awaitLine("access refused", "side=agent", "certificate revoked by CRL", `subject="CN=agent-1,`, `issuer="CN=Shieldwall Intermediate CA,`)
	processor.awaitLine("the Local API refuses our certificate: CN=agent-1,", "issued by CN=Shieldwall Intermediate CA,", "certificate revoked by CRL")
	const secret = "198.51.100.254"
	api.cscli("decisions", "add", "--ip", secret)
	refusals := engine.count("status=403")
	eventually(t, "the bouncer is refused again", func() bool { return engine.count("status=403") > refusals+1 })
	if firewall.count(secret) != 0 {
		t.Error("the revoked bouncer was told of a decision")
	}
	if alerts := api.alerts(); len(alerts) != 2+later {
		t.Errorf("%d alerts, want %d: the revoked log processor has delivered", len(alerts), 2+later)
	}
	t.Logf("measured: certificates: a revoked one is refused after %v", took.Round(100*time.Millisecond))
}

// installPatient installs the parsers, and one scenario.
func (in *instance) installPatient() {
	in.t.Helper()
	in.installContent()
	if err := os.RemoveAll(in.path("scenarios")); err != nil {
		in.t.Fatal(err)
	}
	in.write("scenarios/patient.yaml", patient+"labels: {remediation: true}\n")
}

// TestRefusedCertificates: a log processor and a bouncer, each with the certificate of the other, an expired one, one of
// another authority, and none. Each is refused, and both sides say in one line whose certificate that is and why.
func TestRefusedCertificates(t *testing.T) {
	t.Parallel()
	const handshake, byClient = "TLS handshake failed", "side=client"
	for name, test := range map[string]struct {
		from   func(t *testing.T, api certified, kind string) pair
		wrong  bool     // each has the certificate of the other
		issuer string   // "" for no certificate
		server []string // parts of its line, besides subject and issuer
		client string   // the reason in its line
	}{
		"wrong unit": {
			from: func(_ *testing.T, api certified, kind string) pair { return api.issue(kind, kind) }, wrong: true, issuer: "Shieldwall",
			server: []string{"access refused", "client certificate OU ["}, client: "client certificate OU [",
		},
		"expired": {
			from: expired, issuer: "Shieldwall",
			server: []string{handshake, byClient, "certificate has expired"}, client: "remote error: tls: expired certificate",
		},
		"wrong authority": {
			from: foreign, issuer: "Stranger",
			server: []string{handshake, byClient, "certificate signed by unknown authority"}, client: "remote error: tls: unknown certificate authority",
		},
		"none": {
			from:   func(_ *testing.T, api certified, _ string) pair { return pair{bundle: api.path("pki/bundle.pem")} },
			server: []string{handshake, byClient, "client didn't provide a certificate"}, client: "remote error: tls: certificate required",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newCertified(t, 24*time.Hour, "client_verification: RequireAndVerifyClientCert")
			engine := api.startEngine("-no-cs")
			agent, bouncer := "agent", "bouncer"
			if test.wrong {
				agent, bouncer = bouncer, agent
			}
			expectRefusal(engine, api.startRefusedAgent(test.from(t, api, agent)), agent, test.issuer, test.server, test.client)
			firewall := api.startRefusedFirewall(test.from(t, api, bouncer))
			expectRefusal(engine, firewall, bouncer, test.issuer, test.server, test.client)
			if got := api.cscli("machines", "list", "-o", "raw"); strings.Count(got, "\n") != 1 {
				t.Errorf("a refused machine was made known: %s", got)
			}
			t.Logf("measured: certificates: %s: log processor and bouncer refused, and both sides say why", name)
		})
	}
}

// expired returns a certificate that was good a moment ago.
func expired(t *testing.T, api certified, kind string) pair {
	t.Helper()
	p := api.issue(kind, kind, "--lifetime", "1s")
	over := firstCertificate(t, p.cert).NotAfter.Add(time.Second)
	eventually(t, "it expires", func() bool { return time.Now().After(over) })
	return p
}

// foreign returns a certificate of another authority, whose owner trusts ours.
func foreign(t *testing.T, api certified, kind string) pair {
	t.Helper()
	stranger := certified{newInstance(t, "")}
	stranger.cscli("pki", "init", "--organization", "Stranger")
	p := stranger.issue(kind, kind)
	p.bundle = api.path("pki/bundle.pem")
	return p
}

// startRefusedFirewall starts a bouncer that has a key where it has no certificate: it would not start without both.
func (a certified) startRefusedFirewall(p pair) *process {
	a.t.Helper()
	lines := p.lines()
	if p.cert == "" {
		lines += "api_key: some\n"
	}
	return a.startFirewall("api_url: " + a.url() + "\n" + lines)
}

// startRefusedAgent starts a log processor that has something to tell.
func (a certified) startRefusedAgent(p pair) *process {
	a.t.Helper()
	in := newInstance(a.t, "")
	in.installPatient()
	in.write("local_api_credentials.yaml", a.credentials(p))
	in.log("the log exists")
	processor := in.startEngine("-no-api")
	processor.await("following log file")
	in.log(bruteForce(attacker(0))...)
	return processor
}

// expectRefusal waits for the lines of both sides about a certificate of a name.
func expectRefusal(server, client *process, name, organization string, said []string, reason string) {
	server.t.Helper()
	if organization == "" {
		server.awaitLine(said...)
		client.awaitLine("the Local API wants a client certificate", reason)
		return
	}
	subject, issuer := "CN="+name+",", "CN="+organization+" Intermediate CA,"
	server.awaitLine(append([]string{`subject="` + subject, `issuer="` + issuer}, said...)...)
	client.awaitLine("the Local API refuses our certificate: "+subject, "issued by "+issuer, reason)
}

// TestJoinAndRenewal: two machines fetch their certificates with tokens, and everybody renews by himself, the Local API
// included. When the first certificates are over, nothing has changed for anybody.
func TestJoinAndRenewal(t *testing.T) {
	t.Parallel()
	const lifetime = 30 * time.Second
	api := newCertified(t, lifetime, "cache_expiration: 1h")
	engine := api.startEngine("-no-cs")
	agent := newInstance(t, "")
	agent.installPatient()
	agent.log("the log exists")
	token := strings.TrimSpace(api.cscli("pki", "token", "--kind", "agent", "--name", "web-1", "-o", "raw"))
	agent.cscli("lapi", "join", api.url(), token)
	bouncerLines := agent.cscli("lapi", "join", api.address, "--name", "fw-1",
		strings.TrimSpace(api.cscli("pki", "token", "--kind", "bouncer", "-o", "raw")))
	again := agent.command("cscli", "-c", agent.path("config.yaml"), "lapi", "join", api.url(), token, "--force")
	if out, err := again.CombinedOutput(); err == nil || !strings.Contains(string(out), "the join token was used already, by web-1") {
		t.Errorf("a token is good twice: %v, %s", err, out)
	}
	engine.awaitLine("access refused", "side=newcomer", "the join token was used already, by web-1")
	expectModes(t, agent, map[string]os.FileMode{
		"tls/web-1.pem": 0o644, "tls/web-1-key.pem": 0o600, "tls/fw-1-key.pem": 0o600, "tls/bundle.pem": 0o644, "local_api_credentials.yaml": 0o600,
	})
	first := map[string]*x509.Certificate{}
	for _, path := range []string{agent.path("tls/web-1.pem"), agent.path("tls/fw-1.pem"), api.path("pki/issued/lapi.pem")} {
		first[path] = firstCertificate(t, path)
	}
	processor := agent.startEngine("-no-api")
	processor.await("following log file")
	firewall := api.startFirewall(bouncerLines)
	firewall.await("Processing new and deleted decisions")

	for _, p := range []*process{processor, firewall, engine} {
		awaitLong(t, lifetime, "its certificate is renewed", func() bool { return p.count("certificate renewed") > 0 })
	}
	for path, old := range first {
		if next := firstCertificate(t, path); !next.NotAfter.After(old.NotAfter) || next.Subject.String() != old.Subject.String() {
			t.Errorf("%s is %s until %v now, after %s until %v", path, next.Subject, next.NotAfter, old.Subject, old.NotAfter)
		}
		awaitLong(t, lifetime, "the first certificate is over", func() bool { return time.Now().After(old.NotAfter) })
	}
	agent.log(bruteForce(attacker(0))...)
	firewall.await(attacker(0))
	if count := engine.count("TLS handshake failed") + engine.count("certificate_expired"); count != 0 {
		t.Errorf("somebody was refused %d times", count)
	}
	issued := strings.Count(api.cscli("pki", "list", "-o", "raw"), "\n") - 1
	t.Logf("measured: certificates: joined twice, %d certificates of %v issued, nobody refused", issued, lifetime)
}

func expectModes(t *testing.T, in *instance, want map[string]os.FileMode) {
	t.Helper()
	for name, mode := range want {
		info, err := os.Stat(in.path(name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, want %v", name, info.Mode().Perm(), mode)
		}
	}
}

// awaitLong is eventually for what takes that long by its nature.
func awaitLong(t *testing.T, naturally time.Duration, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(naturally)
	for !happened() && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	eventually(t, what, happened)
}
