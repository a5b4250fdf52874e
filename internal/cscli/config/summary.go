package config

import (
	"fmt"
	"strings"

	"shieldwall/internal/cscli/config/csconfig"
)

// summary is what administrators want to know of a configuration, without secrets.
func summary(c *csconfig.Config) string {
	var text page
	text.global(c)
	text.processor(c)
	text.tool(c.Cscli)
	if c.API.Client != nil {
		text.client(c.API.Client)
	}
	if c.API.Server != nil {
		text.server(c)
	}
	return text.out.String()
}

// page is a summary being written.
type page struct{ out strings.Builder }

func (p *page) heading(text string) { p.out.WriteString(text + ":\n") }

// item writes a value that is set.
func (p *page) item(depth int, name string, value any) {
	if text := fmt.Sprint(value); text != "" {
		fmt.Fprintf(&p.out, "%s- %-23s : %s\n", strings.Repeat("  ", depth), name, text)
	}
}

func (p *page) end() { p.out.WriteString("\n") }

func (p *page) global(c *csconfig.Config) {
	p.heading("Global")
	p.item(1, "Configuration Folder", c.ConfigPaths.ConfigDir)
	p.item(1, "Data Folder", c.ConfigPaths.DataDir)
	p.item(1, "Hub Folder", c.ConfigPaths.HubDir)
	p.item(1, "Notification Folder", c.ConfigPaths.NotificationDir)
	p.item(1, "Simulation File", c.ConfigPaths.SimulationFilePath)
	p.item(1, "Log Folder", c.Common.LogDir)
	p.item(1, "Log level", c.Common.LogLevel.Name())
	p.item(1, "Log Media", c.Common.LogMedia)
	p.end()
}

func (p *page) processor(c *csconfig.Config) {
	if c.Crowdsec == nil {
		return
	}
	p.heading("Crowdsec" + disabled(c.DisableAgent))
	p.item(1, "Acquisition File", c.Crowdsec.AcquisitionFilePath)
	p.item(1, "Acquisition Folder", c.Crowdsec.AcquisitionDirPath)
	p.item(1, "Parsers routines", c.Crowdsec.ParserRoutinesCount)
	p.end()
}

func disabled(yes bool) string {
	if yes {
		return " (disabled)"
	}
	return ""
}

func (p *page) tool(c *csconfig.CscliCfg) {
	p.heading("cscli")
	p.item(1, "Output", c.Output)
	p.item(1, "Hub Branch", c.HubBranch)
	p.end()
}

func (p *page) client(c *csconfig.LocalApiClientCfg) {
	p.heading("API Client")
	if c.Credentials != nil {
		p.item(1, "URL", c.Credentials.URL)
		p.item(1, "Login", c.Credentials.Login)
	}
	p.item(1, "Credentials File", c.CredentialsFilePath)
	p.end()
}

func (p *page) server(c *csconfig.Config) {
	server := c.API.Server
	p.heading("Local API Server" + disabled(c.DisableAPI))
	p.item(1, "Listen URL", server.ListenURI)
	p.item(1, "Listen Socket", server.ListenSocket)
	p.item(1, "Profile File", server.ProfilesPath)
	if tls := server.TLS; tls != nil {
		p.item(1, "Cert File", tls.CertFilePath)
		p.item(1, "Key File", tls.KeyFilePath)
		p.item(1, "CA Cert", tls.CACertPath)
		p.item(1, "CRL", tls.CRLPath)
		p.item(1, "Cache Expiration", tls.CacheExpiration)
		p.item(1, "Client Verification", tls.ClientVerification)
		p.list("Allowed Agents OU", tls.AllowedAgentsOU)
		p.list("Allowed Bouncers OU", tls.AllowedBouncersOU)
	}
	p.list("Trusted IPs", server.TrustedIPs)
	p.end()
	if server.OnlineClient != nil {
		p.heading("Central API")
		p.item(1, "Credentials File", server.OnlineClient.CredentialsFilePath)
		p.end()
	}
	if c.DbConfig != nil {
		p.database(c.DbConfig)
	}
}

func (p *page) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	p.out.WriteString("  - " + name + ": \n")
	for _, value := range values {
		p.out.WriteString("      - " + value + "\n")
	}
}

func (p *page) database(db *csconfig.DatabaseCfg) {
	p.out.WriteString("  - Database:\n")
	p.item(3, "Type", db.Type)
	switch db.Type {
	case "sqlite":
		p.item(3, "Path", db.DbPath)
	default:
		p.item(3, "Host", db.Host)
		p.item(3, "Port", db.Port)
		p.item(3, "User", db.User)
		p.item(3, "DB Name", db.DbName)
		p.item(3, "Path", db.DbPath)
	}
	if flush := db.Flush; flush != nil {
		p.item(3, "Flush age", flush.MaxAge)
		if flush.MaxItems != nil {
			p.item(3, "Flush size", *flush.MaxItems)
		}
	}
}
