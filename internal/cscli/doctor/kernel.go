package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/config"
)

// kernel is what the firewall component of this machine enforces, read as it reads it itself.
type kernel struct {
	path    string // of the configuration
	config  config.Config
	backend remediation.Backend
}

// openKernel reads the configuration of the firewall component. The error says why nothing can be seen.
func openKernel(ctx context.Context, s *session.Session, path string) (*kernel, error) {
	path, err := firewallConfig(s, path)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(path, s.LookupEnv)
	if err != nil {
		return nil, err
	}
	if cfg.Mode == config.ModeDryRun {
		return nil, fmt.Errorf("%s only says what it would do", path)
	}
	backend, err := cfg.Backend(s.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if _, err := backend.Read(ctx); err != nil {
		return nil, fmt.Errorf("the kernel cannot be read: %w", err)
	}
	return &kernel{path: path, config: cfg, backend: backend}, nil
}

// firewallConfig returns the path that was given, or the first of the usual ones where there is a file.
func firewallConfig(s *session.Session, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	const name = "bouncers/crowdsec-firewall-bouncer.yaml"
	usual := []string{filepath.Join(s.Config.Paths.ConfigDir, name), filepath.Join("/etc/crowdsec", name)}
	for _, path := range usual {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path, err
		}
	}
	return "", fmt.Errorf("no firewall component is configured here: there is no %s", usual[0])
}

// place is where an address is in the kernel.
type place struct {
	set  remediation.Set
	held bool
	idle bool // no rule looks at the set
}

// find returns where an address is banned; the best place when there are several.
func (k *kernel) find(ctx context.Context, address netip.Addr) (found place, err error) {
	enforced, err := k.backend.Read(ctx)
	if err != nil {
		return place{}, err
	}
	for set, elements := range enforced.Sets {
		if set.Allow || set.IPv6 != address.Is6() {
			continue
		}
		for value := range elements {
			if value.First.Compare(address) <= 0 && address.Compare(value.Last) <= 0 && (!found.held || found.idle) {
				found = place{set: set, held: true, idle: enforced.Idle[set]}
			}
		}
	}
	return found, nil
}

// drops reports whether the component has rules that drop packets to this machine.
func (k *kernel) drops(address netip.Addr) bool {
	switch k.config.Mode {
	case config.ModeNftables:
		return k.config.Nftables.GuardsHost(address.Is6())
	case config.ModeIptables:
		return k.config.Iptables.GuardsHost(address.Is6())
	case config.ModeIPSet, config.ModePF, config.ModeDryRun:
	}
	return false
}

// dropped returns how many packets the set that holds an address has dropped.
func (k *kernel) dropped(ctx context.Context, address netip.Addr) (packets uint64, err error) {
	found, err := k.find(ctx, address)
	if err != nil {
		return 0, err
	}
	counters, err := k.backend.Counters(ctx)
	for _, c := range counters {
		if c.Dropped && c.Group == found.set.Group && c.IPv6 == address.Is6() {
			packets += c.Packets
		}
	}
	return packets, err
}
