package engine_test

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"shieldwall/internal/app/engine"
	"shieldwall/internal/platform/tlsfiles/tlstest"
)

// journal is an output that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// freeAddress returns an address on loopback that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// TestCertificatesOnBothSides: a log processor whose certificate is accepted delivers, and is forgotten when
// it ends, because the configuration says so.
func TestCertificatesOnBothSides(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	ca := tlstest.NewAuthority(t, "ca")
	caFile := ca.Write(t, dir)
	serverCert, serverKey := ca.Issue(t, tlstest.Leaf{CommonName: "lapi"}).Write(t, dir, "server")
	agentCert, agentKey := ca.Issue(t, tlstest.Leaf{CommonName: "agent-1", OUs: []string{"agent-ou"}}).Write(t, dir, "agent")
	writeFiles(t, dir, everyLine)
	writeFiles(t, dir, map[string]string{
		"a.log":         "",
		"acquis.yaml":   "filename: " + dir + "/a.log\nlabels: {type: test}\n",
		"profiles.yaml": "name: all\nfilters: ['true']\ndecisions: [{type: ban, duration: 4h}]\non_success: break\n",
		"credentials.yaml": "url: https://" + address + "/\nca_cert_path: " + caFile + "\ncert_path: " + agentCert +
			"\nkey_path: " + agentKey + "\n",
		"config.yaml": "config_paths: {config_dir: " + dir + ", data_dir: " + dir + "/data}\n" +
			"crowdsec_service: {acquisition_path: " + dir + "/acquis.yaml}\n" +
			"db_config: {type: sqlite, db_path: " + dir + "/data/lapi.db}\n" +
			"api:\n  client: {credentials_path: " + dir + "/credentials.yaml, unregister_on_exit: true}\n" +
			"  server:\n    listen_uri: " + address + "\n    profiles_path: " + dir + "/profiles.yaml\n" +
			"    tls: {cert_file: " + serverCert + ", key_file: " + serverKey + ", ca_cert_path: " + caFile +
			", client_verification: RequireAndVerifyClientCert, agents_allowed_ou: [agent-ou]}\n",
		"data/empty": "", "simulation.yaml": "simulation: false\n",
	})
	var out journal
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- engine.Run(ctx, engine.Options{ConfigPath: filepath.Join(dir, "config.yaml")}, engine.Surroundings{
			Env: func(string) (string, bool) { return "", false }, Now: time.Now, Stdout: &out, Stderr: &out, Names: noServers{},
		})
	}()
	waitFor(t, &out, "following log file")
	writeFiles(t, dir, map[string]string{"a.log": "192.0.2.7\n"})
	waitFor(t, &out, "machine agent-1@127.0.0.1 not found, create it")
	waitFor(t, &out, "POST", "/v1/alerts", "status=201", "machine=agent-1@127.0.0.1")
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	waitFor(t, &out, "DELETE", "/v1/watchers/self", "status=204")
	waitFor(t, &out, "this machine has unregistered from the Local API")
}

// noServers know no name.
type noServers struct{}

func (noServers) LookupAddr(context.Context, string) ([]string, error) { return nil, nil }
func (noServers) LookupHost(context.Context, string) ([]string, error) { return nil, nil }

// waitFor waits until one line of out has all the parts.
func waitFor(t *testing.T, out *journal, parts ...string) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		for line := range strings.Lines(out.String()) {
			missing := 0
			for _, part := range parts {
				if !strings.Contains(line, part) {
					missing++
				}
			}
			if missing == 0 {
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("no line has %q:\n%s", parts, out)
		}
	}
}
