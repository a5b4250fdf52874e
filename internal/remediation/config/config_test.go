package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/localapiclient"
	"shieldwall/internal/platform/logging"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/config"
	"shieldwall/internal/remediation/iptables"
	"shieldwall/internal/remediation/nftables"
	"shieldwall/internal/remediation/pf"
)

// least is the shortest file that is valid.
const least = "mode: nftables\napi_url: http://127.0.0.1:8080/\napi_key: secret\n"

func load(tb testing.TB, text string) (config.Config, error) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "bouncer.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return config.Load(path, func(name string) (string, bool) { return "expanded", name == "KNOWN" })
}

func hook(name string) nftables.Hook {
	hook, _ := nftables.ParseHook(name)
	return hook
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got, err := load(t, least)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Mode: config.ModeNftables,
		Log: logging.Options{
			Media: "stdout", Dir: "/var/log/", File: "crowdsec-firewall-bouncer.log",
			Rotation: logging.Rotation{MaxSizeMB: 500, MaxFiles: 3, MaxAgeDays: 30, Compress: true},
		},
		Filter:  remediation.Filter{Types: []string{"ban"}, IPv4: true, IPv6: true},
		Polling: remediation.Options{PollEvery: 10 * time.Second, ReconcileEvery: time.Minute},
		API:     localapiclient.Config{URL: localapiclient.URLs{"http://127.0.0.1:8080/"}, APIKey: "secret"},
		Nftables: nftables.Config{
			IPv4:    nftables.Family{Enabled: true, Table: "crowdsec", Chain: "crowdsec-chain", Blacklist: "crowdsec-blacklists", Allowlist: "crowdsec-allowlists"},
			IPv6:    nftables.Family{Enabled: true, Table: "crowdsec6", Chain: "crowdsec6-chain", Blacklist: "crowdsec6-blacklists", Allowlist: "crowdsec6-allowlists"},
			Hooks:   []nftables.Hook{hook("input")},
			Verdict: nftables.Drop,
		},
		Start: remediation.OpenStart, StateDir: "/var/lib/crowdsec-firewall-bouncer", AllowEvery: time.Minute,
		Warnings: []string{"update_frequency is not set, using 10s"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// shipped is the file as packages ship it, with what they fill in.
const shipped = `
mode: nftables
pid_dir: /var/run/
update_frequency: 10s
log_mode: file
log_dir: /tmp/logs/
log_level: debug
log_compression: true
log_max_size: 100
log_max_backups: 3
log_max_age: 30
api_url: https://192.0.2.1:8080/
cert_path: /etc/ssl/certs/bouncer.pem
key_path: /etc/ssl/private/bouncer.pem
ca_cert_path: /etc/ssl/ca.pem
insecure_skip_verify: false
retry_initial_connect: true
disable_ipv6: true
deny_action: reject
deny_log: true
supported_decisions_types:
  - ban
  - quarantine
scopes: [ip]
origins: [CAPI, cscli]
scenarios_containing: [ssh]
scenarios_not_containing: [http]
blacklists_ipv4: black4
allowlists_ipv4: allow4
allowlists_interval: 5m
reconcile_interval: 30s
state_dir: /tmp/state
fail_closed: false
keep_on_stop: true
ipset_type: nethash
iptables_chains:
  - INPUT
nftables:
  ipv4:
    enabled: true
    set-only: true
    table: filter
    chain: chain4
    priority: -10
  ipv6:
    enabled: false
    set-only: false
    table: crowdsec6
nftables_hooks:
  - input
  - nowhere
pf:
  anchor_name: ""
prometheus:
  enabled: true
  listen_addr: 127.0.0.1
  listen_port: 60601
some_future_key: 1
`

func TestEveryKey(t *testing.T) {
	t.Parallel()
	got, err := load(t, shipped)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Mode: config.ModeNftables,
		Log: logging.Options{
			Level: -4, Media: "file", Dir: "/tmp/logs/", File: "crowdsec-firewall-bouncer.log",
			Rotation: logging.Rotation{MaxSizeMB: 100, MaxFiles: 3, MaxAgeDays: 30, Compress: true},
		},
		Filter: remediation.Filter{Types: []string{"ban", "quarantine"}, Origins: []string{"CAPI", "cscli"}, IPv4: true},
		Start:  remediation.OpenStart, StateDir: "/tmp/state", KeepOnStop: true, AllowEvery: 5 * time.Minute,
		Polling: remediation.Options{
			PollEvery: 10 * time.Second, ReconcileEvery: 30 * time.Second, RetryConnection: true,
			Query: localapiclient.StreamQuery{
				Scopes: []string{"ip"}, Origins: []string{"CAPI", "cscli"},
				ScenariosContaining: []string{"ssh"}, ScenariosNotContaining: []string{"http"},
			},
		},
		API: localapiclient.Config{
			URL: localapiclient.URLs{"https://192.0.2.1:8080/"}, Cert: "/etc/ssl/certs/bouncer.pem", Key: "/etc/ssl/private/bouncer.pem",
			CACert: "/etc/ssl/ca.pem",
		},
		Nftables: nftables.Config{
			IPv4: nftables.Family{
				Enabled: true, SetOnly: true, Table: "filter", Chain: "chain4", Blacklist: "black4", Allowlist: "allow4", Priority: -10,
			},
			IPv6:      nftables.Family{Table: "crowdsec6", Chain: "crowdsec6-chain", Blacklist: "crowdsec6-blacklists", Allowlist: "crowdsec6-allowlists"},
			Hooks:     []nftables.Hook{hook("input"), hook("nowhere")},
			Verdict:   nftables.Reject,
			LogPrefix: "crowdsec drop: ",
		},
		Prometheus: "127.0.0.1:60601",
		Warnings:   []string{"nftables hook 'nowhere' is taken for prerouting"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Scripts look for these texts.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"api_url: x\napi_key: y\n", "unable to load configuration: config does not contain 'mode'"},
		{"mode: moat\n", "firewall 'moat' is not supported"},
		{least + "update_frequency: often\n", "unable to parse lapi update interval 'often': "},
		{least + "update_frequency: 0s\n", "lapi update interval must be positive"},
		{least + "reconcile_interval: -1s\n", "reconcile interval must be positive"},
		{least + "log_mode: syslog\n", "failed to setup logging: log_mode should be either 'stdout' or 'file'"},
		{least + "log_level: loud\n", `not a valid log level: "loud"`},
		{least + "disable_ipv4: true\ndisable_ipv6: true\n", "both IPv4 and IPv6 disabled, doing nothing"},
		{"mode: dry-run\ndisable_ipv4: true\ndisable_ipv6: true\n", "both IPv4 and IPv6 disabled, doing nothing"},
		{least + "deny_action: TARPIT\n", "invalid deny_action 'TARPIT', must be one of DROP, REJECT"},
		{"mode: iptables\ndeny_action: tar\n", "invalid deny_action 'tar', must be one of DROP, REJECT, TARPIT, LOG"},
		{"mode: pf\ndeny_action: TARPIT\n", "invalid deny_action 'TARPIT', must be one of DROP, REJECT"},
		{"mode: ipset\nfail_closed: true\n", "fail_closed needs rules of its own"},
		{least + "fail_closed: true\nnftables: {ipv4: {set-only: true}}\n", "fail_closed needs rules of its own"},
		{least + "allowlists_interval: 0s\n", "allowlists interval must be positive"},
		{"mode: dry-run\napi_key: y\n", "config does not contain LAPI url"},
		{"mode: dry-run\napi_url: x\n", "config does not contain LAPI key or certificate"},
		{least + "cert_path: x\n", "unable to configure bouncer: api client init: cannot use both API key and certificate auth"},
		{"mode: [\n", "unable to load configuration: "},
	} {
		if _, err := load(t, test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got %v, want %q", test.text, err, test.want)
		}
	}
	if _, err := config.Load("/does/not/exist", os.LookupEnv); err == nil ||
		!strings.HasPrefix(err.Error(), "unable to read config file: ") {
		t.Errorf("no file: %v", err)
	}
}

func TestDetails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		holds      func(config.Config) bool
	}{
		{"enabled wins over disable", least + "disable_ipv6: true\nnftables: {ipv6: {enabled: true}}\n", func(c config.Config) bool {
			return c.Filter.IPv6 && c.Nftables.IPv6.Enabled
		}},
		{
			"but not for a dry run", "mode: dry-run\napi_url: x\napi_key: y\ndisable_ipv6: true\nnftables: {ipv6: {enabled: true}}\n",
			func(c config.Config) bool { return !c.Filter.IPv6 },
		},
		{"own log prefix", least + "deny_log: true\ndeny_log_prefix: 'x '\n", func(c config.Config) bool {
			return c.Nftables.LogPrefix == "x "
		}},
		{"prefix without log", least + "deny_log_prefix: 'x '\n", func(c config.Config) bool {
			return c.Nftables.LogPrefix == ""
		}},
		{"below a second", least + "update_frequency: 100ms\n", func(c config.Config) bool {
			return c.Polling.PollEvery == 100*time.Millisecond && len(c.Warnings) == 0
		}},
		{"variables that exist", "mode: nftables\napi_url: $KNOWN\napi_key: ${UNKNOWN}\n", func(c config.Config) bool {
			return c.API.URL.String() == "expanded" && c.API.APIKey == "${UNKNOWN}"
		}},
		{"fail closed", least + "fail_closed: true\n", func(c config.Config) bool { return c.Start == remediation.ClosedStart }},
		{"no state of a dry run", "mode: dry-run\napi_url: x\napi_key: y\n", func(c config.Config) bool { return c.StateDir == "" }},
		{"iptables", others("iptables"), func(c config.Config) bool {
			return reflect.DeepEqual(c.Iptables, iptables.Config{
				IPv4: iptables.Family{
					Enabled: true, Chains: []string{"FOUR", "INPUT", "FORWARD"}, Blacklist: "black4", Allowlist: "crowdsec-allowlists",
				},
				IPv6: iptables.Family{
					Enabled: true, Chains: []string{"SIX", "INPUT", "FORWARD"}, Blacklist: "crowdsec6-blacklists", Allowlist: "crowdsec6-allowlists",
				},
				SetType: "hash:net", MaxElements: 1000, Timeless: true, Target: iptables.Tarpit, LogPrefix: "crowdsec drop: ",
			})
		}},
		{"ipset", "mode: ipset\napi_url: x\napi_key: y\n", func(c config.Config) bool {
			return c.Iptables.SetsOnly && c.Iptables.Comments && c.Iptables.MaxElements == 131072 && c.Iptables.SetType == "nethash"
		}},
		{"pf", "mode: pf\napi_url: x\napi_key: y\ndeny_action: reject\npf: {anchor_name: crowdsec, batch_size: 7}\n", func(c config.Config) bool {
			return len(c.Warnings) == 2 && reflect.DeepEqual(c.PF, pf.Config{
				IPv4:   pf.Family{Enabled: true, Blacklist: "crowdsec-blacklists", Allowlist: "crowdsec-allowlists"},
				IPv6:   pf.Family{Enabled: true, Blacklist: "crowdsec6-blacklists", Allowlist: "crowdsec6-allowlists"},
				Anchor: "crowdsec", Reject: true,
			})
		}},
		{"the deprecated key", least + "daemonize: false\n", func(c config.Config) bool { return len(c.Warnings) == 2 }},
	} {
		got, err := load(t, test.text)
		if err != nil || !test.holds(got) {
			t.Errorf("%s: got %+v, %v", test.name, got, err)
		}
	}
}

// others uses every key of a mode that works through programs.
func others(mode string) string {
	return "mode: " + mode + `
api_url: x
api_key: y
blacklists_ipv4: black4
deny_action: tarpit
deny_log: true
ipset_type: hash:net
ipset_size: 1000
ipset_disable_timeouts: true
iptables_chains: [INPUT, FORWARD]
iptables_v4_chains: [FOUR]
iptables_v6_chains: [SIX]
iptables_add_rule_comments: false
`
}

func FuzzLoad(f *testing.F) {
	f.Add(least)
	f.Add(shipped)
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := load(t, text)
		if err == nil && (cfg.Polling.PollEvery <= 0 || !cfg.Filter.IPv4 && !cfg.Filter.IPv6) {
			t.Errorf("accepted as %+v", cfg)
		}
	})
}
