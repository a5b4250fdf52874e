package config

import (
	"log/slog"
	"time"

	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/dryrun"
	"shieldwall/internal/remediation/iptables"
	"shieldwall/internal/remediation/nftables"
	"shieldwall/internal/remediation/pf"
	"shieldwall/internal/remediation/program"
)

// Backend is a backend that says how it holds elements.
type Backend interface {
	remediation.Backend
	// Traits say how the backend holds elements.
	Traits() remediation.Traits
}

// Backend returns the backend of the mode. It has changed nothing yet.
func (c Config) Backend(now func() time.Time, log *slog.Logger) (Backend, error) {
	switch c.Mode {
	case ModeNftables:
		return nftables.New(c.Nftables, now, log)
	case ModeIptables, ModeIPSet:
		cfg := c.Iptables
		cfg.Run = program.Run
		return iptables.New(cfg, now, log)
	case ModePF:
		cfg := c.PF
		cfg.Run = program.Run
		return pf.New(cfg, log)
	case ModeDryRun:
	}
	return dryrun.New(now, log), nil
}
