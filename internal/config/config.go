package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"time"

	"shieldwall/internal/platform/duration"
	"shieldwall/internal/platform/logging"
	"shieldwall/internal/platform/yamlfile"
)

// Config is a valid configuration with every default filled in.
type Config struct {
	FilePath     string // absolute
	Common       Common
	Paths        Paths
	LogProcessor *LogProcessor // nil: disabled
	CSCLI        CSCLI
	Database     *Database // nil: not configured
	API          API
	Prometheus   Prometheus
	Ignored      []string // keys that are set but have no effect in this version
}

// Common is how the daemon logs.
type Common struct {
	Log logging.Options // File is left to the program
}

// Paths are absolute.
type Paths struct {
	ConfigDir       string
	DataDir         string
	SimulationPath  string
	HubDir          string
	IndexPath       string
	NotificationDir string
	PluginDir       string // "" when not configured
	PatternDir      string
}

// LogProcessor configures acquisition and processing.
type LogProcessor struct {
	AcquisitionPath    string // "" when not configured
	AcquisitionDir     string // "" when not configured
	ConsoleContextPath string
	ConsoleContextSet  bool // the path is not the default: the file must exist
	ContextValueLength int  // bytes of JSON, 1 to 4000
	ParserRoutines     int  // 1 or more
	BucketsRoutines    int  // 1 or more
	OutputRoutines     int  // 1 or more
	DNSCache           DNSCache
}

// DNSCache bounds what is remembered of name servers.
type DNSCache struct {
	TTL         time.Duration // of answers
	NegativeTTL time.Duration // of the answer that there is none
	Size        int           // answers
}

// CSCLI holds the defaults of the command line tool.
type CSCLI struct {
	Output string // "human", "json" or "raw"; "" when not configured
	Color  string // "yes", "no" or "auto"; "" when not configured

	HubBranch      string // of the hub to use; "" when not configured
	HubURLTemplate string // of the hub, with %s for branch and path; "" when not configured
	HubWithContent bool   // the index is asked for with the items inside
	HubSource      string // "embedded", or the path of a folder or an archive to use in place of a server; "" when not configured
}

// API holds both ends of the Local API.
type API struct {
	Client *APIClient // nil: not configured
	Server *APIServer // nil: disabled
}

// APIClient says how this machine reaches its Local API.
type APIClient struct {
	CredentialsPath    string
	InsecureSkipVerify bool
	UnregisterOnExit   bool
}

// APIServer configures the Local API of this machine.
type APIServer struct {
	ListenURI                     string // host:port, "" when not configured
	ListenSocket                  string // path, "" when not configured
	LogLevel                      slog.Level
	ProfilesPath                  string
	UseForwardedForHeaders        bool
	TrustedProxies                []netip.Prefix
	TrustedIPs                    []netip.Prefix
	DisableRemoteLAPIRegistration bool
	AutoRegistration              *AutoRegistration // nil: off
	TLS                           *ServerTLS        // nil: plain HTTP
	PKIDir                        string            // of the authority that it issues certificates with, absolute; "": it does not; needs TLS
}

// Prometheus configures the metrics listener.
type Prometheus struct {
	Enabled    bool
	Level      string // "full", "aggregated" or "none"
	ListenAddr string
	ListenPort int
}

// Load reads path, path+".local" and the variables that env knows. An error names the file, and the line
// or key where one is to blame.
func Load(path string, env yamlfile.Env) (*Config, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("resolving %s: %w", path, err)
	}
	text, err := yamlfile.Read(path, env)
	if err != nil {
		return nil, err
	}
	var raw file
	if err := yamlfile.Decode(path, text, &raw); err != nil {
		return nil, err
	}
	cfg, err := raw.resolve(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

func (f *file) resolve(path string) (*Config, error) {
	cfg := &Config{FilePath: path, CSCLI: CSCLI{Output: f.CSCLI.Output, Color: f.CSCLI.Color, HubBranch: f.CSCLI.HubBranch}}
	cfg.CSCLI.HubURLTemplate, cfg.CSCLI.HubWithContent, cfg.CSCLI.HubSource = f.CSCLI.HubURLTemplate, f.CSCLI.HubWithContent, f.CSCLI.HubSource
	var err error
	if cfg.Common, err = f.Common.resolve(); err != nil {
		return nil, fmt.Errorf("common: %w", err)
	}
	if cfg.Paths, err = f.ConfigPaths.resolve(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("config_paths: %w", err)
	}
	if cfg.Prometheus, err = f.Prometheus.resolve(); err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	if f.CrowdsecService != nil && enabled(f.CrowdsecService.Enable) {
		if cfg.LogProcessor, err = f.CrowdsecService.resolve(cfg.Paths); err != nil {
			return nil, fmt.Errorf("crowdsec_service: %w", err)
		}
	}
	if f.DBConfig != nil {
		if cfg.Database, err = f.DBConfig.resolve(); err != nil {
			return nil, fmt.Errorf("db_config: %w", err)
		}
	}
	if cfg.API, err = f.API.resolve(cfg.Common.Log.Level); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	cfg.Ignored = f.ignored()
	return cfg, nil
}

// ignored lists what an administrator may count on although nothing does it yet.
func (f *file) ignored() []string {
	var keys []string
	if server := f.API.Server; server != nil {
		if tls := server.TLS; tls != nil && tls.CertFile == "" && tls.KeyFile == "" {
			keys = append(keys, "api.server.tls without cert_file and key_file")
		}
		if server.OnlineClient != nil {
			keys = append(keys, "api.server.online_client")
		}
	}
	if f.DBConfig != nil {
		keys = append(keys, f.DBConfig.ignored()...)
	}
	if f.API.CTI != nil {
		keys = append(keys, "api.cti")
	}
	return keys
}

func (c *commonSection) resolve() (Common, error) {
	level, err := levelOr(c.LogLevel, slog.LevelInfo)
	if err != nil {
		return Common{}, fmt.Errorf("log_level: %w", err)
	}
	if c.LogFormat != "" && c.LogFormat != "text" && c.LogFormat != "json" {
		return Common{}, fmt.Errorf("log_format: '%s' is not one of text, json", c.LogFormat)
	}
	media := or(c.LogMedia, "stdout")
	switch media {
	case "stdout", "file", "syslog":
	default:
		return Common{}, fmt.Errorf("log_media: '%s' is not one of stdout, file, syslog", media)
	}
	return Common{Log: logging.Options{
		Level: level,
		JSON:  c.LogFormat == "json",
		Media: media,
		Dir:   absolute(c.LogDir),
		Rotation: logging.Rotation{
			MaxSizeMB:  or(c.LogMaxSize, 500),
			MaxFiles:   or(c.LogMaxFiles, 3),
			MaxAgeDays: or(c.LogMaxAge, 28),
			Compress:   enabled(c.CompressLogs),
		},
	}}, nil
}

func (p *pathsSection) resolve(fileDir string) (Paths, error) {
	if p.DataDir == "" {
		return Paths{}, errors.New("data_dir is required")
	}
	configDir := absolute(or(p.ConfigDir, fileDir))
	hubDir := absolute(or(p.HubDir, filepath.Join(configDir, "hub")))
	return Paths{
		ConfigDir:       configDir,
		DataDir:         absolute(p.DataDir),
		SimulationPath:  absolute(or(p.SimulationPath, filepath.Join(configDir, "simulation.yaml"))),
		HubDir:          hubDir,
		IndexPath:       absolute(or(p.IndexPath, filepath.Join(hubDir, ".index.json"))),
		NotificationDir: absolute(or(p.NotificationDir, filepath.Join(configDir, "notifications"))),
		PluginDir:       absolute(p.PluginDir),
		PatternDir:      absolute(or(p.PatternDir, filepath.Join(configDir, "patterns"))),
	}, nil
}

const maxContextLength = 4000

func (s *serviceSection) resolve(paths Paths) (*LogProcessor, error) {
	contextLength := s.ConsoleContextValueLength
	if contextLength <= 0 || contextLength > maxContextLength {
		contextLength = maxContextLength
	}
	names, err := s.DNSCache.resolve()
	if err != nil {
		return nil, fmt.Errorf("dns_cache: %w", err)
	}
	return &LogProcessor{
		AcquisitionPath:    absolute(s.AcquisitionPath),
		AcquisitionDir:     absolute(s.AcquisitionDir),
		ConsoleContextPath: absolute(or(s.ConsoleContextPath, filepath.Join(paths.ConfigDir, "console", "context.yaml"))),
		ConsoleContextSet:  s.ConsoleContextPath != "",
		ContextValueLength: contextLength,
		ParserRoutines:     max(1, s.ParserRoutines),
		BucketsRoutines:    max(1, s.BucketsRoutines),
		OutputRoutines:     max(1, s.OutputRoutines),
		DNSCache:           names,
	}, nil
}

// The published defaults of dns_cache.
const (
	defaultDNSTTL         = time.Hour
	defaultDNSNegativeTTL = 5 * time.Minute
	defaultDNSSize        = 16384
)

// resolve takes what is not above 0 for "not set".
func (d *dnsCacheSection) resolve() (DNSCache, error) {
	resolved := DNSCache{TTL: defaultDNSTTL, NegativeTTL: defaultDNSNegativeTTL, Size: defaultDNSSize}
	if d == nil {
		return resolved, nil
	}
	for _, field := range []struct {
		name, text string
		into       *time.Duration
	}{{"ttl", d.TTL, &resolved.TTL}, {"negative_ttl", d.NegativeTTL, &resolved.NegativeTTL}} {
		if field.text == "" {
			continue
		}
		value, err := duration.Parse(field.text)
		if err != nil {
			return DNSCache{}, fmt.Errorf("%s: %w", field.name, err)
		}
		if value > 0 {
			*field.into = value
		}
	}
	if d.Size > 0 {
		resolved.Size = d.Size
	}
	return resolved, nil
}

func (a *apiSection) resolve(commonLevel slog.Level) (API, error) {
	var api API
	if a.Client != nil {
		api.Client = &APIClient{
			CredentialsPath:    absolute(a.Client.CredentialsPath),
			InsecureSkipVerify: a.Client.InsecureSkipVerify,
			UnregisterOnExit:   a.Client.UnregisterOnExit,
		}
	}
	if a.Server == nil || !enabled(a.Server.Enable) {
		return api, nil
	}
	server, err := a.Server.resolve(commonLevel)
	if err != nil {
		return API{}, fmt.Errorf("server: %w", err)
	}
	api.Server = server
	return api, nil
}

func (s *serverSection) resolve(commonLevel slog.Level) (*APIServer, error) {
	if s.ListenURI == "" && s.ListenSocket == "" {
		return nil, errors.New("no listen_uri or listen_socket specified")
	}
	if s.ProfilesPath == "" {
		return nil, errors.New("profiles_path is required")
	}
	level, err := levelOr(s.LogLevel, commonLevel)
	if err != nil {
		return nil, fmt.Errorf("log_level: %w", err)
	}
	trusted, err := prefixes(s.TrustedIPs)
	if err != nil {
		return nil, fmt.Errorf("trusted_ips: %w", err)
	}
	proxyTexts := s.TrustedProxies
	if s.UseForwardedForHeaders && len(proxyTexts) == 0 {
		proxyTexts = []string{"0.0.0.0/0"}
	}
	proxies, err := prefixes(proxyTexts)
	if err != nil {
		return nil, fmt.Errorf("trusted_proxies: %w", err)
	}
	autoRegistration, err := s.AutoRegistration.resolve()
	if err != nil {
		return nil, fmt.Errorf("auto_registration: %w", err)
	}
	tls, err := s.TLS.resolve()
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	pkiDir, err := s.PKI.resolve(tls)
	if err != nil {
		return nil, fmt.Errorf("pki: %w", err)
	}
	return &APIServer{
		ListenURI: s.ListenURI, ListenSocket: absolute(s.ListenSocket), LogLevel: level,
		ProfilesPath:                  absolute(s.ProfilesPath),
		UseForwardedForHeaders:        len(proxies) > 0,
		TrustedProxies:                proxies,
		TrustedIPs:                    trusted,
		DisableRemoteLAPIRegistration: s.DisableRemoteLAPIRegistration,
		AutoRegistration:              autoRegistration,
		TLS:                           tls,
		PKIDir:                        pkiDir,
	}, nil
}

const defaultMetricsPort = 6060

func (p *prometheusSection) resolve() (Prometheus, error) {
	if p == nil {
		return Prometheus{}, nil
	}
	switch p.Level {
	case "", "full", "aggregated", "none":
	default:
		return Prometheus{}, fmt.Errorf("level: '%s' is not one of full, aggregated, none", p.Level)
	}
	return Prometheus{
		Enabled: p.Enabled, Level: or(p.Level, "full"),
		ListenAddr: or(p.ListenAddr, "127.0.0.1"), ListenPort: or(p.ListenPort, defaultMetricsPort),
	}, nil
}

func enabled(flag *bool) bool { return flag == nil || *flag }

func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func levelOr(name string, fallback slog.Level) (slog.Level, error) {
	if name == "" {
		return fallback, nil
	}
	return logging.ParseLevel(name)
}

// absolute leaves "" as it is: it means not configured.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}

func prefixes(texts []string) ([]netip.Prefix, error) {
	list := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		if addr, err := netip.ParseAddr(text); err == nil {
			list = append(list, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("'%s' is neither an address nor a range", text)
		}
		list = append(list, prefix.Masked())
	}
	return list, nil
}
