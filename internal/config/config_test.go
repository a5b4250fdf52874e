package config_test

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/config"
	"shieldwall/internal/localapiclient"
)

func noEnv(string) (string, bool) { return "", false }

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const minimal = "config_paths: {data_dir: /data}\n"

func TestDefaults(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, minimal+"prometheus: {enabled: true}\ncrowdsec_service: {}\n"+
		"db_config: {type: sqlite, db_path: /data/x.db, flush: {max_items: 5, max_age: 7d}}\n"+
		"api: {server: {listen_uri: 127.0.0.1:8080, profiles_path: /p.yaml, trusted_ips: [127.0.0.1, 10.0.0.0/8]}}\n")
	cfg, err := config.Load(path, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	if cfg.Paths.ConfigDir != dir || cfg.Paths.HubDir != dir+"/hub" || cfg.Paths.IndexPath != dir+"/hub/.index.json" ||
		cfg.Paths.PatternDir != dir+"/patterns" || cfg.Paths.SimulationPath != dir+"/simulation.yaml" {
		t.Errorf("paths %+v", cfg.Paths)
	}
	if cfg.Common.Log.Level != slog.LevelInfo || cfg.Common.Log.Media != "stdout" || cfg.Common.Log.Rotation.MaxSizeMB != 500 {
		t.Errorf("common %+v", cfg.Common)
	}
	if cfg.LogProcessor == nil || cfg.LogProcessor.ParserRoutines != 1 || cfg.LogProcessor.ContextValueLength != 4000 {
		t.Errorf("log processor %+v", cfg.LogProcessor)
	}
	if cfg.Database.MaxOpenConns != 100 || cfg.Database.Flush.MaxAge != 7*24*time.Hour {
		t.Errorf("database %+v", cfg.Database)
	}
	if cfg.Prometheus.ListenPort != 6060 || cfg.Prometheus.ListenAddr != "127.0.0.1" {
		t.Errorf("prometheus %+v", cfg.Prometheus)
	}
	if got := cfg.API.Server.TrustedIPs; len(got) != 2 || got[0].String() != "127.0.0.1/32" {
		t.Errorf("trusted ips %v", got)
	}
}

func TestLogProcessor(t *testing.T) {
	t.Parallel()
	defaults := config.DNSCache{TTL: time.Hour, NegativeTTL: 5 * time.Minute, Size: 16384}
	for text, want := range map[string]struct {
		dns config.DNSCache
		set bool
	}{
		"{}":                                 {defaults, false},
		"{console_context_path: /etc/c}":     {defaults, true},
		"{dns_cache: {}}":                    {defaults, false},
		"{dns_cache: {ttl: 0s, size: -1}}":   {defaults, false},
		"{dns_cache: {ttl: 1d}}":             {config.DNSCache{TTL: 24 * time.Hour, NegativeTTL: 5 * time.Minute, Size: 16384}, false},
		"{dns_cache: {negative_ttl: 1m30s}}": {config.DNSCache{TTL: time.Hour, NegativeTTL: 90 * time.Second, Size: 16384}, false},
		"{dns_cache: {size: 7}}":             {config.DNSCache{TTL: time.Hour, NegativeTTL: 5 * time.Minute, Size: 7}, false},
	} {
		path := writeConfig(t, minimal+"crowdsec_service: "+text+"\n")
		cfg, err := config.Load(path, noEnv)
		if err != nil {
			t.Fatal(err)
		}
		got := cfg.LogProcessor
		if got.DNSCache != want.dns || got.ConsoleContextSet != want.set {
			t.Errorf("%s: got %+v", text, got)
		}
		if fallback := filepath.Join(filepath.Dir(path), "console", "context.yaml"); !want.set && got.ConsoleContextPath != fallback {
			t.Errorf("%s: context in %s, want %s", text, got.ConsoleContextPath, fallback)
		}
	}
}

func TestSectionsCanBeLeftOut(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(writeConfig(t, minimal+"crowdsec_service: {enable: false}\napi: {server: {enable: false}}\n"), noEnv)
	if err != nil || cfg.LogProcessor != nil || cfg.API.Server != nil || cfg.Database != nil {
		t.Errorf("got %+v, %v", cfg, err)
	}
}

func TestErrorsNameFileAndCause(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"prometheus: {enabeld: true}": "line 1: field enabeld not found",
		"common: {log_level: loud}":   "common: log_level: not a valid log level",
		"common: {log_media: pigeon}": "common: log_media: 'pigeon'",
		"{}":                          "config_paths: data_dir is required",
		minimal + "crowdsec_service: {dns_cache: {ttl: soon}}":                             "crowdsec_service: dns_cache: ttl: ",
		minimal + "api: {server: {profiles_path: /p}}":                                     "api: server: no listen_uri or listen_socket",
		minimal + "api: {server: {listen_uri: ':1'}}":                                      "api: server: profiles_path is required",
		minimal + "api: {server: {listen_uri: ':1', profiles_path: /p, trusted_ips: [x]}}": "trusted_ips: 'x'",
		minimal + "db_config: {}":                                                          "db_config: type is required",
		minimal + "db_config: {type: sqlite, flush: {max_items: 0}}":                       "max_items",
		minimal + "prometheus: {level: some}":                                              "prometheus: level: 'some'",
	} {
		path := writeConfig(t, text)
		_, err := config.Load(path, noEnv)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s:\n got error %v\nwant it to name the file and %q", text, err, want)
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":           "no credentials or URL found",
		"login: a\n": "no url",
		"url: http://x/\nlogin: a\ncert_path: c\nkey_path: k\n": "mutually exclusive",
		"url: /s\ncert_path: c\nkey_path: k\n":                  "cannot use TLS with a unix socket",
		"url: https://x/\ncert_path: c\n":                       "cert_path and key_path go together",
		"url: https://x/\ncert_path: c\nkey_path: k\n":          "",
		"url: http://x/\nlogin: a\npassword: b\n":               "",
		"url: [https://x/, /s]\ncert_path: c\nkey_path: k\n":    "cannot use TLS with a unix socket",
		"url: {}\nlogin: a\n":                                   "cannot unmarshal",
		"url: []\nlogin: a\n":                                   "no url",
		"url: http://x/\nlogin: a\nfoo: b\n":                    "field foo not found",
	} {
		path := writeConfig(t, text)
		_, err := config.LoadCredentials(path, noEnv)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// TestCredentialsOfTheTutorial: the forms of the published documents, variables and what a .local file replaces.
func TestCredentialsOfTheTutorial(t *testing.T) {
	t.Parallel()
	env := func(name string) (string, bool) {
		value, ok := map[string]string{"LAPI": "10.0.0.1", "TOKEN": "long_token_that_is_at_least_32_characters_long"}[name]
		return value, ok
	}
	for _, c := range []struct {
		text, local string
		want        config.Credentials
	}{
		{
			"url: http://10.0.0.1:8080/\nlogin: l\npassword: p\n", "",
			config.Credentials{URL: localapiclient.URLs{"http://10.0.0.1:8080/"}, Login: "l", Password: "p"},
		},
		{
			"url: https://$LAPI:8080\nca_cert_path: /etc/ssl/certs/ca-combined.pem #certificate used to verify client certs\n" +
				"key_path: /etc/ssl/certs/agent1-key.pem #Client key.\ncert_path: /tmp/agent1.pem #Client cert\n", "",
			config.Credentials{
				URL: localapiclient.URLs{"https://10.0.0.1:8080"}, CACertPath: "/etc/ssl/certs/ca-combined.pem",
				KeyPath: "/etc/ssl/certs/agent1-key.pem", CertPath: "/tmp/agent1.pem",
			},
		},
		{
			"url: [http://127.0.0.1:8080/]\nlogin: l\npassword: $UNKNOWN\n", "url: [\"http://${LAPI}/\", http://10.0.0.2/]\nregistration_token: $TOKEN\n",
			config.Credentials{
				URL: localapiclient.URLs{"http://10.0.0.1/", "http://10.0.0.2/"}, Login: "l", Password: "$UNKNOWN",
				RegistrationToken: "long_token_that_is_at_least_32_characters_long",
			},
		},
	} {
		path := writeConfig(t, c.text)
		if c.local != "" {
			if err := os.WriteFile(path+".local", []byte(c.local), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := config.LoadCredentials(path, env); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s%s: got %+v, %v", c.text, c.local, got, err)
		}
	}
}

func TestSimulationExclusionsInvert(t *testing.T) {
	t.Parallel()
	for _, all := range []bool{true, false} {
		s := config.Simulation{All: all, Exclusions: []string{"a"}}
		if s.Covers("a") == all || s.Covers("b") != all {
			t.Errorf("all=%v: a %v, b %v", all, s.Covers("a"), s.Covers("b"))
		}
	}
}

func TestServerTLS(t *testing.T) {
	t.Parallel()
	server := func(section string) (*config.Config, error) {
		return config.Load(writeConfig(t, minimal+"api: {server: {listen_uri: ':1', profiles_path: /p, "+section+"}}\n"), noEnv)
	}
	for section, want := range map[string]string{
		"tls: {cert_file: /c}": "api: server: tls: missing TLS key file",
		"tls: {key_file: /k}":  "api: server: tls: missing TLS cert file",
		"tls: {cert_file: /c, key_file: /k, client_verification: Maybe}": "client_verification: 'Maybe' is not one of NoClientCert,",
		"tls: {cert_file: /c, key_file: /k, agents_allowed_ou: [a, '']}": "agents_allowed_ou: an empty name",
		"tls: {cert_file: /c, key_file: /k, bouncers_allowed_ou: ['']}":  "bouncers_allowed_ou: an empty name",
		"tls: {cert_file: /c, key_file: /k, cache_expiration: soon}":     "cache_expiration: ",
		"tls: {cert_file: /c, key_file: /k, cache_expiration: 0s}":       "cache_expiration must be positive",
		"pki: {dir: /pki}":                                                                     "api: server: pki: certificates are issued over TLS only",
		"auto_registration: {enabled: true}":                                                   "api: server: auto_registration: token is required",
		"auto_registration: {enabled: true, token: short}":                                     "token has 5 characters, it needs 32 to 255",
		"auto_registration: {enabled: true, token: " + token + "}":                             "allowed_ranges is required",
		"auto_registration: {enabled: true, token: " + token + ", allowed_ranges: [10.0.0.1]}": "'10.0.0.1' is not a range",
	} {
		if _, err := server(section); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %q", section, err, want)
		}
	}
	cfg, err := server("auto_registration: {enabled: true, token: " + token + ", allowed_ranges: [10.1.2.3/8, '2001:db8::/32']}, " +
		"tls: {cert_file: /c, key_file: /k, ca_cert_path: /ca, server_name: x, agents_allowed_ou: [a, b, a], crl_path: /crl, cache_expiration: 30m}")
	if err != nil {
		t.Fatal(err)
	}
	want := &config.ServerTLS{
		CertFile: "/c", KeyFile: "/k", CACertPath: "/ca", ClientVerification: tls.VerifyClientCertIfGiven,
		AgentsAllowedOU: []string{"a", "b"}, CRLPath: "/crl", CacheExpiration: 30 * time.Minute,
	}
	if !reflect.DeepEqual(cfg.API.Server.TLS, want) {
		t.Errorf("got %+v", cfg.API.Server.TLS)
	}
	if dir := cfg.API.Server.PKIDir; dir != "" {
		t.Errorf("an authority in %s", dir)
	}
	if issuing, err := server("pki: {dir: /a/../pki}, tls: {cert_file: /c, key_file: /k}"); err != nil || issuing.API.Server.PKIDir != "/pki" {
		t.Errorf("got %+v, %v", issuing, err)
	}
	if auto := cfg.API.Server.AutoRegistration; auto.Token != token || fmt.Sprint(auto.Ranges) != "[10.0.0.0/8 2001:db8::/32]" {
		t.Errorf("got %+v", auto)
	}
	for text, mode := range map[string]tls.ClientAuthType{
		"NoClientCert": tls.NoClientCert, "RequestClientCert": tls.RequestClientCert, "RequireAnyClientCert": tls.RequireAnyClientCert,
		"VerifyClientCertIfGiven": tls.VerifyClientCertIfGiven, "RequireAndVerifyClientCert": tls.RequireAndVerifyClientCert,
	} {
		cfg, err := server("tls: {cert_file: /c, key_file: /k, client_verification: " + text + "}")
		if err != nil || cfg.API.Server.TLS.ClientVerification != mode || cfg.API.Server.TLS.CacheExpiration != time.Hour {
			t.Errorf("%s: got %+v, %v", text, cfg, err)
		}
	}
}

const token = "0123456789abcdef0123456789abcdef"

func TestSectionsThatTurnNothingOn(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(writeConfig(t, minimal+"api: {client: {credentials_path: /c, unregister_on_exit: true}, server: {listen_uri: ':1', profiles_path: /p, "+
		"tls: {agents_allowed_ou: [a]}, auto_registration: {enabled: false, token: short}}}\n"), noEnv)
	if err != nil || cfg.API.Server.TLS != nil || cfg.API.Server.AutoRegistration != nil || !cfg.API.Client.UnregisterOnExit {
		t.Errorf("got %+v, %v", cfg, err)
	}
	if want := []string{"api.server.tls without cert_file and key_file"}; !slices.Equal(cfg.Ignored, want) {
		t.Errorf("ignored %q", cfg.Ignored)
	}
}
