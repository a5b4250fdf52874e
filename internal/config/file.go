package config

// file is config.yaml as published. Keys that nothing reads yet are accepted, because existing files hold
// them; keys that do not exist are errors.
type file struct {
	Common          commonSection      `yaml:"common"`
	ConfigPaths     pathsSection       `yaml:"config_paths"`
	CrowdsecService *serviceSection    `yaml:"crowdsec_service"`
	CSCLI           cscliSection       `yaml:"cscli"`
	DBConfig        *databaseSection   `yaml:"db_config"`
	PluginConfig    *pluginSection     `yaml:"plugin_config"`
	API             apiSection         `yaml:"api"`
	Prometheus      *prometheusSection `yaml:"prometheus"`
}

type commonSection struct {
	Daemonize      bool   `yaml:"daemonize"` // accepted, ignored
	PIDDir         string `yaml:"pid_dir"`   // accepted, ignored
	WorkingDir     string `yaml:"working_dir"`
	LogMedia       string `yaml:"log_media"`
	LogDir         string `yaml:"log_dir"`
	LogLevel       string `yaml:"log_level"`
	LogFormat      string `yaml:"log_format"`
	LogMaxSize     int    `yaml:"log_max_size"`  // MB
	LogMaxAge      int    `yaml:"log_max_age"`   // days
	LogMaxFiles    int    `yaml:"log_max_files"` // rotated files kept
	CompressLogs   *bool  `yaml:"compress_logs"`
	ForceColorLogs bool   `yaml:"force_color_logs"`
}

type pathsSection struct {
	ConfigDir       string `yaml:"config_dir"`
	DataDir         string `yaml:"data_dir"`
	SimulationPath  string `yaml:"simulation_path"`
	HubDir          string `yaml:"hub_dir"`
	IndexPath       string `yaml:"index_path"`
	NotificationDir string `yaml:"notification_dir"`
	PluginDir       string `yaml:"plugin_dir"`
	PatternDir      string `yaml:"pattern_dir"`
}

type serviceSection struct {
	Enable                    *bool            `yaml:"enable"`
	AcquisitionPath           string           `yaml:"acquisition_path"`
	AcquisitionDir            string           `yaml:"acquisition_dir"`
	ConsoleContextPath        string           `yaml:"console_context_path"`
	ConsoleContextValueLength int              `yaml:"console_context_value_length"`
	ParserRoutines            int              `yaml:"parser_routines"`
	BucketsRoutines           int              `yaml:"buckets_routines"`
	OutputRoutines            int              `yaml:"output_routines"`
	StateInputFile            string           `yaml:"state_input_file"` // accepted, unused
	StateOutputDir            string           `yaml:"state_output_dir"` // accepted, unused
	DNSCache                  *dnsCacheSection `yaml:"dns_cache"`
}

type dnsCacheSection struct {
	TTL         string `yaml:"ttl"`
	NegativeTTL string `yaml:"negative_ttl"`
	Size        int    `yaml:"size"`
}

type cscliSection struct {
	Output         string `yaml:"output"`
	Color          string `yaml:"color"`
	HubBranch      string `yaml:"hub_branch"`
	HubURLTemplate string `yaml:"__hub_url_template__"`
	HubWithContent bool   `yaml:"hub_with_content"`
	HubSource      string `yaml:"hub_source"`     // ours
	PrometheusURI  string `yaml:"prometheus_uri"` // accepted, always derived from the prometheus section
}

type databaseSection struct {
	Type             string        `yaml:"type"`
	DBPath           string        `yaml:"db_path"`
	User             string        `yaml:"user"`
	Password         string        `yaml:"password"`
	DBName           string        `yaml:"db_name"`
	Host             string        `yaml:"host"`
	Port             int           `yaml:"port"`
	SSLMode          string        `yaml:"sslmode"`
	SSLCACert        string        `yaml:"ssl_ca_cert"`
	SSLClientCert    string        `yaml:"ssl_client_cert"`
	SSLClientKey     string        `yaml:"ssl_client_key"`
	LogLevel         string        `yaml:"log_level"`
	MaxOpenConns     int           `yaml:"max_open_conns"`
	UseWAL           *bool         `yaml:"use_wal"`
	DecisionBulkSize int           `yaml:"decision_bulk_size"`
	Flush            *flushSection `yaml:"flush"`
}

type flushSection struct {
	MaxItems           *int               `yaml:"max_items"`
	MaxAge             string             `yaml:"max_age"`
	MetricsMaxAge      string             `yaml:"metrics_max_age"`
	BouncersAutodelete *autodeleteSection `yaml:"bouncers_autodelete"`
	AgentsAutodelete   *autodeleteSection `yaml:"agents_autodelete"`
}

type autodeleteSection struct {
	Cert          string `yaml:"cert"`
	APIKey        string `yaml:"api_key"`
	LoginPassword string `yaml:"login_password"`
}

type pluginSection struct {
	User  string `yaml:"user"`
	Group string `yaml:"group"`
}

type apiSection struct {
	Client *clientSection `yaml:"client"`
	Server *serverSection `yaml:"server"`
	CTI    *ctiSection    `yaml:"cti"`
}

type clientSection struct {
	CredentialsPath    string `yaml:"credentials_path"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
	UnregisterOnExit   bool   `yaml:"unregister_on_exit"`
}

type serverSection struct {
	Enable                        *bool                    `yaml:"enable"`
	ListenURI                     string                   `yaml:"listen_uri"`
	ListenSocket                  string                   `yaml:"listen_socket"`
	LogLevel                      string                   `yaml:"log_level"`
	ProfilesPath                  string                   `yaml:"profiles_path"`
	ConsolePath                   string                   `yaml:"console_path"`
	UseForwardedForHeaders        bool                     `yaml:"use_forwarded_for_headers"`
	TrustedProxies                []string                 `yaml:"trusted_proxies"`
	TrustedIPs                    []string                 `yaml:"trusted_ips"`
	DisableRemoteLAPIRegistration bool                     `yaml:"disable_remote_lapi_registration"`
	DisableUsageMetricsExport     bool                     `yaml:"disable_usage_metrics_export"`
	PAPILogLevel                  string                   `yaml:"papi_log_level"`
	CAPIWhitelistsPath            string                   `yaml:"capi_whitelists_path"`
	AutoRegistration              *autoRegistrationSection `yaml:"auto_registration"`
	TLS                           *tlsSection              `yaml:"tls"`
	PKI                           *pkiSection              `yaml:"pki"` // ours
	OnlineClient                  *onlineClientSection     `yaml:"online_client"`
}

type autoRegistrationSection struct {
	Enabled       bool     `yaml:"enabled"`
	Token         string   `yaml:"token"`
	AllowedRanges []string `yaml:"allowed_ranges"`
}

type tlsSection struct {
	CertFile           string   `yaml:"cert_file"`
	KeyFile            string   `yaml:"key_file"`
	CACertPath         string   `yaml:"ca_cert_path"`
	ClientVerification string   `yaml:"client_verification"`
	ServerName         string   `yaml:"server_name"`
	AgentsAllowedOU    []string `yaml:"agents_allowed_ou"`
	BouncersAllowedOU  []string `yaml:"bouncers_allowed_ou"`
	CRLPath            string   `yaml:"crl_path"`
	CacheExpiration    string   `yaml:"cache_expiration"`
}

type pkiSection struct {
	Dir string `yaml:"dir"`
}

type onlineClientSection struct {
	CredentialsPath string       `yaml:"credentials_path"`
	Sharing         *bool        `yaml:"sharing"`
	Pull            *pullSection `yaml:"pull"`
}

type pullSection struct {
	Community  *bool `yaml:"community"`
	Blocklists *bool `yaml:"blocklists"`
}

type ctiSection struct {
	Key          *string `yaml:"key"`
	Enabled      *bool   `yaml:"enabled"`
	CacheTimeout string  `yaml:"cache_timeout"`
	CacheSize    int     `yaml:"cache_size"`
	LogLevel     string  `yaml:"log_level"`
}

type prometheusSection struct {
	Enabled    bool   `yaml:"enabled"`
	Level      string `yaml:"level"`
	ListenAddr string `yaml:"listen_addr"`
	ListenPort int    `yaml:"listen_port"`
}
