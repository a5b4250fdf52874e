package config

import (
	"fmt"

	"shieldwall/internal/localapiclient"
	"shieldwall/internal/platform/yamlfile"
)

// Credentials are what a machine needs to reach its Local API.
type Credentials struct {
	PAPIURL    string              `yaml:"papi_url,omitempty"`
	URL        localapiclient.URLs `yaml:"url,omitempty"`
	Login      string              `yaml:"login,omitempty"`
	Password   string              `yaml:"password,omitempty"`
	CACertPath string              `yaml:"ca_cert_path,omitempty"`
	KeyPath    string              `yaml:"key_path,omitempty"`
	CertPath   string              `yaml:"cert_path,omitempty"`

	// RegistrationToken is ours: with it, a log processor whose entry is gone registers again by itself.
	RegistrationToken string `yaml:"registration_token,omitempty"`
}

// LoadCredentials reads a local_api_credentials.yaml and checks that it names a Local API and one way to
// authenticate.
func LoadCredentials(path string, env yamlfile.Env) (Credentials, error) {
	creds, err := ReadCredentials(path, env)
	if err != nil {
		return Credentials{}, err
	}
	switch {
	case creds.isEmpty():
		return Credentials{}, fmt.Errorf("no credentials or URL found in api client configuration '%s'", path)
	case len(creds.URL) == 0:
		return Credentials{}, fmt.Errorf("%s: no url", path)
	case creds.Login != "" && (creds.CertPath != "" || creds.KeyPath != ""):
		return Credentials{}, fmt.Errorf("%s: user/password authentication and TLS authentication are mutually exclusive", path)
	case (creds.CertPath == "") != (creds.KeyPath == ""):
		return Credentials{}, fmt.Errorf("%s: cert_path and key_path go together, one is missing", path)
	case creds.URL.HasSocket() && (creds.CertPath != "" || creds.KeyPath != "" || creds.CACertPath != ""):
		return Credentials{}, fmt.Errorf("%s: cannot use TLS with a unix socket", path)
	}
	return creds, nil
}

func (c Credentials) isEmpty() bool {
	return len(c.URL) == 0 && c.PAPIURL+c.Login+c.Password+c.CACertPath+c.KeyPath+c.CertPath+c.RegistrationToken == ""
}

// ReadCredentials reads a credentials file that may be incomplete. The error of a missing file matches
// fs.ErrNotExist.
func ReadCredentials(path string, env yamlfile.Env) (Credentials, error) {
	text, err := yamlfile.Read(path, env)
	if err != nil {
		return Credentials{}, err
	}
	var creds Credentials
	if err := yamlfile.Decode(path, text, &creds); err != nil {
		return Credentials{}, err
	}
	return creds, nil
}
