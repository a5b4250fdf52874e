// Package csconfig is the configuration under the names that `cscli config show` has published.
//
// It owns those names: of the types, which --key shows, of the fields, which scripts spell out in expressions and find in
// JSON, and of the keys of YAML. What the keys mean, and whether they are right, is decided by package internal/config,
// which fills in the defaults here.
package csconfig

import (
	"net"
	"path/filepath"
	"strconv"

	"shieldwall/internal/config"
	"shieldwall/internal/platform/yamlfile"
)

// Config is config.yaml with its defaults.
type Config struct {
	FilePath     *string             `yaml:"-"`
	Self         []byte              `yaml:"-"`
	Common       *CommonCfg          `yaml:"common,omitempty"`
	Prometheus   *PrometheusCfg      `yaml:"prometheus,omitempty"`
	Crowdsec     *CrowdsecServiceCfg `yaml:"crowdsec_service,omitempty"`
	Cscli        *CscliCfg           `yaml:"cscli,omitempty"`
	DbConfig     *DatabaseCfg        `yaml:"db_config,omitempty"`
	API          *APICfg             `yaml:"api,omitempty"`
	ConfigPaths  *ConfigurationPaths `yaml:"config_paths,omitempty"`
	PluginConfig *PluginCfg          `yaml:"plugin_config,omitempty"`
	DisableAPI   bool                `yaml:"-"`
	DisableAgent bool                `yaml:"-"`
	Hub          *LocalHubCfg        `yaml:"-"`
}

// CommonCfg is the section common.
type CommonCfg struct {
	LogMedia       string `yaml:"log_media,omitempty"`
	LogDir         string `yaml:"log_dir,omitempty"`
	LogLevel       Level  `yaml:"log_level,omitempty"`
	LogFormat      string `yaml:"log_format,omitempty"`
	CompressLogs   *bool  `yaml:"compress_logs,omitempty"`
	LogMaxSize     int    `yaml:"log_max_size,omitempty"`
	LogMaxAge      int    `yaml:"log_max_age,omitempty"`
	LogMaxFiles    int    `yaml:"log_max_files,omitempty"`
	ForceColorLogs bool   `yaml:"force_color_logs,omitempty"`
}

// PrometheusCfg is the section prometheus.
type PrometheusCfg struct {
	Enabled    bool   `yaml:"enabled"`
	Level      string `yaml:"level"`
	ListenAddr string `yaml:"listen_addr"`
	ListenPort int    `yaml:"listen_port"`
}

// CrowdsecServiceCfg is the section crowdsec_service.
type CrowdsecServiceCfg struct {
	Enable                    *bool  `yaml:"enable,omitempty"`
	AcquisitionFilePath       string `yaml:"acquisition_path,omitempty"`
	AcquisitionDirPath        string `yaml:"acquisition_dir,omitempty"`
	ConsoleContextPath        string `yaml:"console_context_path,omitempty"`
	ConsoleContextValueLength int    `yaml:"console_context_value_length,omitempty"`
	ParserRoutinesCount       int    `yaml:"parser_routines"`
	BucketsRoutinesCount      int    `yaml:"buckets_routines"`
	OutputRoutinesCount       int    `yaml:"output_routines"`
	BucketStateFile           string `yaml:"state_input_file,omitempty"`
	BucketStateDumpDir        string `yaml:"state_output_dir,omitempty"`
	SimulationFilePath        string `yaml:"-"`
}

// CscliCfg is the section cscli.
type CscliCfg struct {
	Output             string `yaml:"output,omitempty"`
	Color              string `yaml:"color,omitempty"`
	HubBranch          string `yaml:"hub_branch,omitempty"`
	HubURLTemplate     string `yaml:"__hub_url_template__,omitempty"`
	HubWithContent     bool   `yaml:"hub_with_content,omitempty"`
	SimulationFilePath string `yaml:"-"`
	PrometheusUrl      string `yaml:"prometheus_uri,omitempty"`
}

// DatabaseCfg is the section db_config.
type DatabaseCfg struct {
	User             string      `yaml:"user,omitempty"`
	Password         string      `yaml:"password,omitempty"`
	DbName           string      `yaml:"db_name,omitempty"`
	SSLMode          string      `yaml:"sslmode,omitempty"`
	SSLCACert        string      `yaml:"ssl_ca_cert,omitempty"`
	SSLClientCert    string      `yaml:"ssl_client_cert,omitempty"`
	SSLClientKey     string      `yaml:"ssl_client_key,omitempty"`
	Host             string      `yaml:"host,omitempty"`
	Port             int         `yaml:"port,omitempty"`
	DbPath           string      `yaml:"db_path,omitempty"`
	Type             string      `yaml:"type"`
	Flush            *FlushDBCfg `yaml:"flush,omitempty"`
	MaxOpenConns     int         `yaml:"max_open_conns,omitempty"`
	UseWal           *bool       `yaml:"use_wal,omitempty"`
	DecisionBulkSize int         `yaml:"decision_bulk_size,omitempty"`
}

// FlushDBCfg is the section db_config.flush.
type FlushDBCfg struct {
	MaxItems      *int       `yaml:"max_items,omitempty"`
	MaxAge        string     `yaml:"max_age,omitempty"`
	BouncersGC    *AuthGCCfg `yaml:"bouncers_autodelete,omitempty"`
	AgentsGC      *AuthGCCfg `yaml:"agents_autodelete,omitempty"`
	MetricsMaxAge string     `yaml:"metrics_max_age,omitempty"`
}

// AuthGCCfg says when what is idle goes, by the way it authenticates.
type AuthGCCfg struct {
	Cert          string `yaml:"cert,omitempty"`
	Api           string `yaml:"api_key,omitempty"`
	LoginPassword string `yaml:"login_password,omitempty"`
}

// APICfg is the section api.
type APICfg struct {
	Client *LocalApiClientCfg `yaml:"client,omitempty"`
	Server *LocalApiServerCfg `yaml:"server,omitempty"`
	CTI    *CTICfg            `yaml:"cti,omitempty"`
}

// LocalApiClientCfg is the section api.client.
type LocalApiClientCfg struct {
	CredentialsFilePath string             `yaml:"credentials_path,omitempty"`
	Credentials         *ApiCredentialsCfg `yaml:"-"`
	InsecureSkipVerify  *bool              `yaml:"insecure_skip_verify,omitempty"`
	UnregisterOnExit    bool               `yaml:"unregister_on_exit,omitempty"`
}

// ApiCredentialsCfg is what local_api_credentials.yaml says.
type ApiCredentialsCfg struct {
	PapiURL    string
	URL        string
	Login      string
	Password   string
	CACertPath string
	KeyPath    string
	CertPath   string
}

// LocalApiServerCfg is the section api.server.
type LocalApiServerCfg struct {
	Enable                        *bool                    `yaml:"enable,omitempty"`
	ListenURI                     string                   `yaml:"listen_uri,omitempty"`
	ListenSocket                  string                   `yaml:"listen_socket,omitempty"`
	TLS                           *TLSCfg                  `yaml:"tls,omitempty"`
	LogLevel                      Level                    `yaml:"log_level,omitempty"`
	ProfilesPath                  string                   `yaml:"profiles_path,omitempty"`
	ConsoleConfigPath             string                   `yaml:"console_path,omitempty"`
	UseForwardedForHeaders        bool                     `yaml:"use_forwarded_for_headers,omitempty"`
	TrustedProxies                *[]string                `yaml:"trusted_proxies,omitempty"`
	TrustedIPs                    []string                 `yaml:"trusted_ips,omitempty"`
	DisableRemoteLapiRegistration bool                     `yaml:"disable_remote_lapi_registration,omitempty"`
	DisableUsageMetricsExport     bool                     `yaml:"disable_usage_metrics_export,omitempty"`
	PapiLogLevel                  Level                    `yaml:"papi_log_level,omitempty"`
	CapiWhitelistsPath            string                   `yaml:"capi_whitelists_path,omitempty"`
	AutoRegister                  *LocalAPIAutoRegisterCfg `yaml:"auto_registration,omitempty"`
	OnlineClient                  *OnlineApiClientCfg      `yaml:"online_client,omitempty"`
}

// TLSCfg is the section api.server.tls.
type TLSCfg struct {
	CertFilePath       string   `yaml:"cert_file,omitempty"`
	KeyFilePath        string   `yaml:"key_file,omitempty"`
	ClientVerification string   `yaml:"client_verification,omitempty"`
	ServerName         string   `yaml:"server_name,omitempty"`
	CACertPath         string   `yaml:"ca_cert_path,omitempty"`
	AllowedAgentsOU    []string `yaml:"agents_allowed_ou,omitempty"`
	AllowedBouncersOU  []string `yaml:"bouncers_allowed_ou,omitempty"`
	CRLPath            string   `yaml:"crl_path,omitempty"`
	CacheExpiration    string   `yaml:"cache_expiration,omitempty"`
}

// LocalAPIAutoRegisterCfg is the section api.server.auto_registration.
type LocalAPIAutoRegisterCfg struct {
	Enable        *bool    `yaml:"enabled,omitempty"`
	Token         string   `yaml:"token,omitempty"`
	AllowedRanges []string `yaml:"allowed_ranges,omitempty"`
}

// OnlineApiClientCfg is the section api.server.online_client.
type OnlineApiClientCfg struct {
	CredentialsFilePath string      `yaml:"credentials_path,omitempty"`
	Sharing             *bool       `yaml:"sharing,omitempty"`
	PullConfig          CapiPullCfg `yaml:"pull,omitempty"`
}

// CapiPullCfg is the section api.server.online_client.pull.
type CapiPullCfg struct {
	Community  *bool `yaml:"community,omitempty"`
	Blocklists *bool `yaml:"blocklists,omitempty"`
}

// CTICfg is the section api.cti.
type CTICfg struct {
	Key          *string `yaml:"key,omitempty"`
	Enabled      *bool   `yaml:"enabled,omitempty"`
	CacheTimeout string  `yaml:"cache_timeout,omitempty"`
	CacheSize    *int    `yaml:"cache_size,omitempty"`
	LogLevel     Level   `yaml:"log_level,omitempty"`
}

// ConfigurationPaths is the section config_paths.
type ConfigurationPaths struct {
	ConfigDir          string `yaml:"config_dir"`
	DataDir            string `yaml:"data_dir,omitempty"`
	SimulationFilePath string `yaml:"simulation_path,omitempty"`
	HubIndexFile       string `yaml:"index_path,omitempty"`
	HubDir             string `yaml:"hub_dir,omitempty"`
	PluginDir          string `yaml:"plugin_dir,omitempty"`
	NotificationDir    string `yaml:"notification_dir,omitempty"`
	PatternDir         string `yaml:"pattern_dir,omitempty"`
}

// PluginCfg is the section plugin_config.
type PluginCfg struct {
	User  string `yaml:"user,omitempty"`
	Group string `yaml:"group,omitempty"`
}

// LocalHubCfg says where the parts of the hub lie.
type LocalHubCfg struct {
	HubIndexFile   string
	HubDir         string
	InstallDir     string
	InstallDataDir string
}

// Read returns what the file of a configuration says, with its defaults. Credentials are nil where there are none.
func Read(cfg *config.Config, env yamlfile.Env, credentials *ApiCredentialsCfg) (*Config, error) {
	text, err := yamlfile.Read(cfg.FilePath, env)
	if err != nil {
		return nil, err
	}
	shown := &Config{Self: text}
	if err := yamlfile.DecodeLenient(cfg.FilePath, text, shown); err != nil {
		return nil, err
	}
	shown.fill(cfg, credentials)
	return shown, nil
}

// fill takes defaults and absolute paths from the configuration in force.
func (c *Config) fill(cfg *config.Config, credentials *ApiCredentialsCfg) {
	c.FilePath = &cfg.FilePath
	c.fillCommon(cfg)
	c.ConfigPaths = &ConfigurationPaths{
		ConfigDir: cfg.Paths.ConfigDir, DataDir: cfg.Paths.DataDir, SimulationFilePath: cfg.Paths.SimulationPath,
		HubIndexFile: cfg.Paths.IndexPath, HubDir: cfg.Paths.HubDir, PluginDir: cfg.Paths.PluginDir,
		NotificationDir: cfg.Paths.NotificationDir, PatternDir: cfg.Paths.PatternDir,
	}
	c.Hub = &LocalHubCfg{
		HubIndexFile: cfg.Paths.IndexPath, HubDir: cfg.Paths.HubDir, InstallDir: cfg.Paths.ConfigDir, InstallDataDir: cfg.Paths.DataDir,
	}
	if c.Prometheus == nil {
		c.Prometheus = &PrometheusCfg{}
	}
	*c.Prometheus = PrometheusCfg(cfg.Prometheus)
	c.Cscli = orNew(c.Cscli)
	c.Cscli.SimulationFilePath = cfg.Paths.SimulationPath
	c.Cscli.PrometheusUrl = "http://" + net.JoinHostPort(cfg.Prometheus.ListenAddr, strconv.Itoa(cfg.Prometheus.ListenPort)) + "/metrics"
	c.fillProcessor(cfg)
	c.fillDatabase(cfg.Database)
	c.API = orNew(c.API)
	c.fillAPI(cfg, credentials)
	c.DisableAgent, c.DisableAPI = cfg.LogProcessor == nil, cfg.API.Server == nil
}

func (c *Config) fillCommon(cfg *config.Config) {
	c.Common = orNew(c.Common)
	log, yes := cfg.Common.Log, cfg.Common.Log.Rotation.Compress
	c.Common.LogMedia, c.Common.LogDir, c.Common.LogLevel = log.Media, log.Dir, levelOf(log.Level)
	c.Common.CompressLogs = &yes
	c.Common.LogMaxSize, c.Common.LogMaxFiles, c.Common.LogMaxAge = log.Rotation.MaxSizeMB, log.Rotation.MaxFiles, log.Rotation.MaxAgeDays
}

func (c *Config) fillProcessor(cfg *config.Config) {
	if c.Crowdsec == nil {
		return
	}
	c.Crowdsec.Enable = orTrue(c.Crowdsec.Enable)
	c.Crowdsec.SimulationFilePath = cfg.Paths.SimulationPath
	if processor := cfg.LogProcessor; processor != nil {
		c.Crowdsec.AcquisitionFilePath, c.Crowdsec.AcquisitionDirPath = processor.AcquisitionPath, processor.AcquisitionDir
		c.Crowdsec.ConsoleContextPath, c.Crowdsec.ConsoleContextValueLength = processor.ConsoleContextPath, processor.ContextValueLength
		c.Crowdsec.ParserRoutinesCount, c.Crowdsec.BucketsRoutinesCount = processor.ParserRoutines, processor.BucketsRoutines
		c.Crowdsec.OutputRoutinesCount = processor.OutputRoutines
	}
}

func (c *Config) fillDatabase(db *config.Database) {
	if c.DbConfig == nil || db == nil {
		return
	}
	c.DbConfig.DbPath, c.DbConfig.MaxOpenConns, c.DbConfig.DecisionBulkSize = db.Path, db.MaxOpenConns, db.DecisionBulkSize
	if flush := c.DbConfig.Flush; flush != nil && flush.MetricsMaxAge == "" && db.Flush != nil {
		flush.MetricsMaxAge = db.Flush.MetricsMaxAge.String()
	}
}

func (c *Config) fillAPI(cfg *config.Config, credentials *ApiCredentialsCfg) {
	if client := c.API.Client; client != nil {
		no := cfg.API.Client.InsecureSkipVerify
		client.CredentialsFilePath, client.InsecureSkipVerify, client.Credentials = cfg.API.Client.CredentialsPath, &no, credentials
	}
	server := c.API.Server
	if server == nil {
		return
	}
	server.Enable = orTrue(server.Enable)
	if server.ConsoleConfigPath == "" {
		server.ConsoleConfigPath = filepath.Join(cfg.Paths.ConfigDir, "console.yaml")
	}
	if inForce := cfg.API.Server; inForce != nil {
		server.LogLevel, server.ProfilesPath, server.ListenSocket = levelOf(inForce.LogLevel), inForce.ProfilesPath, inForce.ListenSocket
	}
	if online := server.OnlineClient; online != nil {
		online.Sharing = orTrue(online.Sharing)
		online.PullConfig.Community, online.PullConfig.Blocklists = orTrue(online.PullConfig.Community), orTrue(online.PullConfig.Blocklists)
	}
}

func orNew[T any](section *T) *T {
	if section == nil {
		return new(T)
	}
	return section
}

func orTrue(flag *bool) *bool {
	if flag == nil {
		yes := true
		return &yes
	}
	return flag
}
