// Package config reads the configuration file of the firewall component.
//
// It owns the published keys with their defaults and the checks that need nothing but the file. What it
// returns is complete: nobody looks at the file again. It promises that a file written for the published
// component is understood; keys that it does not know are ignored, as they always were.
package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/platform/logging"
	"shieldwall/internal/platform/yamlfile"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/iptables"
	"shieldwall/internal/remediation/nftables"
	"shieldwall/internal/remediation/pf"
)

// Mode names a backend.
type Mode string

// The modes.
const (
	ModeNftables Mode = "nftables"
	ModeIptables Mode = "iptables"
	ModeIPSet    Mode = "ipset"
	ModePF       Mode = "pf"
	ModeDryRun   Mode = "dry-run"
)

// Config is the file, checked and completed.
type Config struct {
	Mode       Mode
	Log        logging.Options
	Filter     remediation.Filter // Traits are for the backend to set
	Polling    remediation.Options
	API        localapiclient.Config // without User-Agent, timeout and clock
	Nftables   nftables.Config       // with ModeNftables
	Iptables   iptables.Config       // with ModeIptables and ModeIPSet; Run is for others to set
	PF         pf.Config             // with ModePF; Run is for others to set
	Start      remediation.Start     // while nothing is known
	StateDir   string                // where the last known state is kept; empty: nowhere
	KeepOnStop bool                  // a normal end leaves everything in force
	AllowEvery time.Duration         // between two looks at the allowlists; positive
	Prometheus string                // address to serve metrics at; empty: none
	Warnings   []string              // for the log, once there is one
}

// Load reads path with its .local file, and expands variables that env knows.
func Load(path string, env yamlfile.Env) (Config, error) {
	text, err := yamlfile.Read(path, env)
	if err != nil {
		return Config{}, fmt.Errorf("unable to read config file: %w", err)
	}
	raw := defaults()
	if err := yamlfile.DecodeLenient(path, text, &raw); err != nil {
		return Config{}, fault.Errorf(fault.Invalid, "unable to load configuration: %w", err)
	}
	cfg, err := raw.check()
	if err != nil {
		return Config{}, fault.Errorf(fault.Invalid, "unable to load configuration: %w", err)
	}
	return cfg, nil
}

const (
	logFile            = "crowdsec-firewall-bouncer.log"
	defaultUpdate      = 10 * time.Second
	defaultReconcile   = time.Minute
	defaultDenyPrefix  = "crowdsec drop: "
	megabytes          = 500
	rotatedFiles       = 3
	days               = 30
	defaultBlacklistV4 = "crowdsec-blacklists"
	defaultBlacklistV6 = "crowdsec6-blacklists"
	defaultAllowlistV4 = "crowdsec-allowlists"
	defaultAllowlistV6 = "crowdsec6-allowlists"
	defaultAllow       = time.Minute
	defaultStateDir    = "/var/lib/crowdsec-firewall-bouncer"
	defaultSetType     = "nethash"
	defaultSetSize     = 131072
)

// file is the configuration file as published.
type file struct {
	Mode            string `yaml:"mode"`
	Daemonize       *bool  `yaml:"daemonize"`
	UpdateFrequency string `yaml:"update_frequency"`

	// These are ours.
	ReconcileInterval  string `yaml:"reconcile_interval"`  // between two comparisons of what is enforced and desired
	AllowlistsInterval string `yaml:"allowlists_interval"` // between two looks at the allowlists
	AllowlistsIPv4     string `yaml:"allowlists_ipv4"`     // name of the set of what passes
	AllowlistsIPv6     string `yaml:"allowlists_ipv6"`
	StateDir           string `yaml:"state_dir"`    // of the last known state; empty: not kept
	FailClosed         bool   `yaml:"fail_closed"`  // let nothing new in while nothing is known
	KeepOnStop         bool   `yaml:"keep_on_stop"` // leave everything in force at a normal end

	LogMode      string `yaml:"log_mode"`
	LogDir       string `yaml:"log_dir"`
	LogLevel     string `yaml:"log_level"`
	LogMaxSize   int    `yaml:"log_max_size"`  // MB
	LogMaxFiles  int    `yaml:"log_max_files"` // rotated files kept
	LogMaxAge    int    `yaml:"log_max_age"`   // days
	CompressLogs bool   `yaml:"compress_logs"`

	APIURL              localapiclient.URLs `yaml:"api_url"`
	APIKey              string              `yaml:"api_key"`
	CertPath            string              `yaml:"cert_path"`
	KeyPath             string              `yaml:"key_path"`
	CACertPath          string              `yaml:"ca_cert_path"`
	InsecureSkipVerify  bool                `yaml:"insecure_skip_verify"`
	RetryInitialConnect bool                `yaml:"retry_initial_connect"`
	Scopes              []string            `yaml:"scopes"`
	Origins             []string            `yaml:"origins"`
	ScenariosContaining []string            `yaml:"scenarios_containing"`
	ScenariosWithout    []string            `yaml:"scenarios_not_containing"`

	DisableIPv4             bool     `yaml:"disable_ipv4"`
	DisableIPv6             bool     `yaml:"disable_ipv6"`
	DenyAction              string   `yaml:"deny_action"`
	DenyLog                 bool     `yaml:"deny_log"`
	DenyLogPrefix           string   `yaml:"deny_log_prefix"`
	BlacklistsIPv4          string   `yaml:"blacklists_ipv4"`
	BlacklistsIPv6          string   `yaml:"blacklists_ipv6"`
	SupportedDecisionsTypes []string `yaml:"supported_decisions_types"`

	IPSetType            string   `yaml:"ipset_type"`
	IPSetSize            int      `yaml:"ipset_size"`
	IPSetDisableTimeouts bool     `yaml:"ipset_disable_timeouts"`
	IptablesChains       []string `yaml:"iptables_chains"`
	IptablesV4Chains     []string `yaml:"iptables_v4_chains"`
	IptablesV6Chains     []string `yaml:"iptables_v6_chains"`
	IptablesComments     bool     `yaml:"iptables_add_rule_comments"`

	NftablesHooks []string `yaml:"nftables_hooks"`
	Nftables      struct {
		IPv4 familySection `yaml:"ipv4"`
		IPv6 familySection `yaml:"ipv6"`
	} `yaml:"nftables"`

	PF struct {
		AnchorName string `yaml:"anchor_name"`
		BatchSize  int    `yaml:"batch_size"`
	} `yaml:"pf"`

	Prometheus struct {
		Enabled bool   `yaml:"enabled"`
		Addr    string `yaml:"listen_addr"`
		Port    string `yaml:"listen_port"`
	} `yaml:"prometheus"`
}

type familySection struct {
	Enabled  *bool  `yaml:"enabled"` // nil: unless disable_ipvX
	SetOnly  bool   `yaml:"set-only"`
	Table    string `yaml:"table"`
	Chain    string `yaml:"chain"`
	Priority int32  `yaml:"priority"`
}

func defaults() file {
	raw := file{
		LogMode: "stdout", LogDir: "/var/log/", LogLevel: "info",
		LogMaxSize: megabytes, LogMaxFiles: rotatedFiles, LogMaxAge: days, CompressLogs: true,
		BlacklistsIPv4: defaultBlacklistV4, BlacklistsIPv6: defaultBlacklistV6,
		SupportedDecisionsTypes: []string{"ban"},
		NftablesHooks:           []string{"input"},
		AllowlistsIPv4:          defaultAllowlistV4, AllowlistsIPv6: defaultAllowlistV6, StateDir: defaultStateDir,
		IPSetType: defaultSetType, IPSetSize: defaultSetSize, IptablesComments: true,
	}
	raw.Nftables.IPv4 = familySection{Table: "crowdsec", Chain: "crowdsec-chain"}
	raw.Nftables.IPv6 = familySection{Table: "crowdsec6", Chain: "crowdsec6-chain"}
	return raw
}

// check turns the file into values, or says what is wrong with it.
func (f file) check() (Config, error) {
	var cfg Config
	for _, step := range []func(*Config) error{f.mode, f.logging, f.polling, f.families, f.backend, f.unknown, f.api} {
		if err := step(&cfg); err != nil {
			return Config{}, err
		}
	}
	if f.Prometheus.Enabled {
		cfg.Prometheus = net.JoinHostPort(f.Prometheus.Addr, f.Prometheus.Port)
	}
	return cfg, nil
}

func (f file) mode(cfg *Config) error {
	if f.Mode == "" {
		return errors.New("config does not contain 'mode'")
	}
	if f.Daemonize != nil && !*f.Daemonize {
		cfg.Warnings = append(cfg.Warnings, "'daemonize: false' is deprecated and has no effect")
	}
	switch cfg.Mode = Mode(f.Mode); cfg.Mode {
	case ModeNftables, ModeIptables, ModeIPSet, ModePF, ModeDryRun:
		return nil
	}
	return fmt.Errorf("firewall '%s' is not supported", f.Mode)
}

func (f file) logging(cfg *Config) error {
	level, err := logging.ParseLevel(f.LogLevel)
	if err != nil {
		return err
	}
	switch f.LogMode {
	case "stdout", "file":
	default:
		return errors.New("failed to setup logging: log_mode should be either 'stdout' or 'file'")
	}
	cfg.Log = logging.Options{
		Level: level, Media: f.LogMode, Dir: f.LogDir, File: logFile,
		Rotation: logging.Rotation{
			MaxSizeMB: f.LogMaxSize, MaxFiles: f.LogMaxFiles, MaxAgeDays: f.LogMaxAge, Compress: f.CompressLogs,
		},
	}
	return nil
}

func (f file) polling(cfg *Config) error {
	cfg.AllowEvery = defaultAllow
	cfg.Polling = remediation.Options{
		PollEvery: defaultUpdate, ReconcileEvery: defaultReconcile, RetryConnection: f.RetryInitialConnect,
		Query: localapiclient.StreamQuery{
			Scopes: f.Scopes, Origins: f.Origins,
			ScenariosContaining: f.ScenariosContaining, ScenariosNotContaining: f.ScenariosWithout,
		},
	}
	if f.UpdateFrequency == "" {
		cfg.Warnings = append(cfg.Warnings, "update_frequency is not set, using "+defaultUpdate.String())
	}
	for _, key := range []struct {
		text, name string
		target     *time.Duration
	}{
		{f.UpdateFrequency, "lapi update interval", &cfg.Polling.PollEvery},
		{f.ReconcileInterval, "reconcile interval", &cfg.Polling.ReconcileEvery},
		{f.AllowlistsInterval, "allowlists interval", &cfg.AllowEvery},
	} {
		if key.text == "" {
			continue
		}
		value, err := time.ParseDuration(key.text)
		if err != nil {
			return fmt.Errorf("unable to parse %s '%s': %w", key.name, key.text, err)
		}
		if value <= 0 {
			return fmt.Errorf("%s must be positive", key.name)
		}
		*key.target = value
	}
	return nil
}

// families decides which address families are enforced.
func (f file) families(cfg *Config) error {
	enabled4, enabled6 := !f.DisableIPv4, !f.DisableIPv6
	if cfg.Mode == ModeNftables {
		enabled4 = f.Nftables.IPv4.enabled(enabled4)
		enabled6 = f.Nftables.IPv6.enabled(enabled6)
	}
	if !enabled4 && !enabled6 {
		return errors.New("both IPv4 and IPv6 disabled, doing nothing")
	}
	cfg.Filter = remediation.Filter{
		Types: f.SupportedDecisionsTypes, Origins: f.Origins, IPv4: enabled4, IPv6: enabled6,
	}
	return nil
}

// backend decides how the mode enforces.
func (f file) backend(cfg *Config) error {
	switch cfg.Mode {
	case ModeNftables:
		return f.nftables(cfg)
	case ModeIptables, ModeIPSet:
		return f.iptables(cfg)
	case ModePF:
		return f.pf(cfg)
	case ModeDryRun:
	}
	return nil
}

func (f file) nftables(cfg *Config) error {
	verdict, err := nftables.ParseVerdict(f.DenyAction)
	if err != nil {
		return err
	}
	cfg.Nftables = nftables.Config{
		IPv4:      f.Nftables.IPv4.family(cfg.Filter.IPv4, f.BlacklistsIPv4, f.AllowlistsIPv4),
		IPv6:      f.Nftables.IPv6.family(cfg.Filter.IPv6, f.BlacklistsIPv6, f.AllowlistsIPv6),
		Verdict:   verdict,
		LogPrefix: f.logPrefix(),
	}
	for _, name := range f.NftablesHooks {
		hook, known := nftables.ParseHook(name)
		if !known {
			cfg.Warnings = append(cfg.Warnings, fmt.Sprintf("nftables hook '%s' is taken for prerouting", name))
		}
		cfg.Nftables.Hooks = append(cfg.Nftables.Hooks, hook)
	}
	return nil
}

func (f file) iptables(cfg *Config) error {
	target, err := iptables.ParseTarget(f.DenyAction)
	if err != nil {
		return err
	}
	cfg.Iptables = iptables.Config{
		IPv4: iptables.Family{
			Enabled: cfg.Filter.IPv4, Chains: slices.Concat(f.IptablesV4Chains, f.IptablesChains),
			Blacklist: f.BlacklistsIPv4, Allowlist: f.AllowlistsIPv4,
		},
		IPv6: iptables.Family{
			Enabled: cfg.Filter.IPv6, Chains: slices.Concat(f.IptablesV6Chains, f.IptablesChains),
			Blacklist: f.BlacklistsIPv6, Allowlist: f.AllowlistsIPv6,
		},
		SetsOnly: cfg.Mode == ModeIPSet, SetType: f.IPSetType, MaxElements: f.IPSetSize, Timeless: f.IPSetDisableTimeouts,
		Comments: f.IptablesComments, Target: target, LogPrefix: f.logPrefix(),
	}
	return nil
}

func (f file) pf(cfg *Config) error {
	verdict, err := nftables.ParseVerdict(f.DenyAction)
	if err != nil {
		return err
	}
	if f.PF.BatchSize != 0 {
		cfg.Warnings = append(cfg.Warnings, "'pf.batch_size' is deprecated and has no effect")
	}
	cfg.PF = pf.Config{
		IPv4:   pf.Family{Enabled: cfg.Filter.IPv4, Blacklist: f.BlacklistsIPv4, Allowlist: f.AllowlistsIPv4},
		IPv6:   pf.Family{Enabled: cfg.Filter.IPv6, Blacklist: f.BlacklistsIPv6, Allowlist: f.AllowlistsIPv6},
		Anchor: f.PF.AnchorName, Reject: verdict == nftables.Reject, Log: f.DenyLog,
	}
	return nil
}

// unknown decides what happens while, and as long as, the Local API does not say what is desired.
func (f file) unknown(cfg *Config) error {
	cfg.KeepOnStop, cfg.Start = f.KeepOnStop, remediation.OpenStart
	if cfg.Mode != ModeDryRun {
		cfg.StateDir = f.StateDir
	}
	if !f.FailClosed {
		return nil
	}
	hasRules := cfg.Mode == ModeIptables || cfg.Mode == ModeNftables && !cfg.Nftables.IPv4.SetOnly && !cfg.Nftables.IPv6.SetOnly
	if !hasRules {
		return errors.New("fail_closed needs rules of its own: mode nftables without set-only, or mode iptables")
	}
	cfg.Start = remediation.ClosedStart
	return nil
}

func (s familySection) enabled(unlessDisabled bool) bool {
	if s.Enabled != nil {
		return *s.Enabled
	}
	return unlessDisabled
}

func (s familySection) family(enabled bool, blacklist, allowlist string) nftables.Family {
	return nftables.Family{
		Enabled: enabled, SetOnly: s.SetOnly, Table: s.Table, Chain: s.Chain, Blacklist: blacklist, Allowlist: allowlist,
		Priority: s.Priority,
	}
}

func (f file) logPrefix() string {
	switch {
	case !f.DenyLog:
		return ""
	case f.DenyLogPrefix == "":
		return defaultDenyPrefix
	}
	return f.DenyLogPrefix
}

func (f file) api(cfg *Config) error {
	certificate := f.CertPath != "" || f.KeyPath != ""
	switch {
	case len(f.APIURL) == 0:
		return errors.New("config does not contain LAPI url")
	case f.APIKey == "" && !certificate:
		return errors.New("config does not contain LAPI key or certificate")
	case f.APIKey != "" && certificate:
		return errors.New("unable to configure bouncer: api client init: cannot use both API key and certificate auth")
	}
	cfg.API = localapiclient.Config{
		URL: f.APIURL, APIKey: f.APIKey, InsecureSkipVerify: f.InsecureSkipVerify,
		CACert: f.CACertPath, Cert: f.CertPath, Key: f.KeyPath,
	}
	return nil
}
