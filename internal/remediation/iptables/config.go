package iptables

import (
	"slices"
	"strings"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/program"
)

// Config says what the backend owns and what it does with packets.
type Config struct {
	IPv4, IPv6  Family
	SetsOnly    bool   // only fill sets that somebody else made
	SetType     string // as ipset calls it; it must hold networks
	MaxElements int    // of a set, when it is made
	Timeless    bool   // sets whose elements do not end by themselves
	Comments    bool   // rules say which origin they are about
	Target      Target // of denied packets
	LogPrefix   string // of the kernel's log of denied packets; empty: not logged
	Run         program.Runner
}

// Family is what Config says of one address family.
type Family struct {
	Enabled   bool
	Chains    []string // that jump to ours
	Blacklist string   // prefix of the names of sets, or the name with SetsOnly
	Allowlist string   // name of the set of what passes
}

// GuardsHost reports whether rules of the backend drop packets of a family that are for this host.
func (c Config) GuardsHost(ipv6 bool) bool {
	family := c.side(ipv6)
	return family.Enabled && !c.SetsOnly && c.Target != Log && slices.Contains(family.Chains, "INPUT")
}

// Target is what happens to packets from banned addresses.
type Target string

// The targets. TARPIT needs an extension of the kernel; LOG lets packets pass.
const (
	Drop   Target = "DROP"
	Reject Target = "REJECT"
	Tarpit Target = "TARPIT"
	Log    Target = "LOG"
)

// ParseTarget reads a target in any case; empty means Drop.
func ParseTarget(text string) (Target, error) {
	switch target := Target(strings.ToUpper(text)); target {
	case "":
		return Drop, nil
	case Drop, Reject, Tarpit, Log:
		return target, nil
	}
	return "", fault.Errorf(fault.Invalid, "invalid deny_action '%s', must be one of DROP, REJECT, TARPIT, LOG", text)
}

const (
	maxSetName   = 31 // bytes
	maxSuffix    = 6  // bytes of what follows the configured part of a name
	maxLogPrefix = 29 // bytes
)

// validate refuses what the programs would choke on later.
func (c Config) validate() error {
	if types := []string{"nethash", "hash:net"}; !slices.Contains(types, c.SetType) {
		return fault.Errorf(fault.Invalid, "ipset_type '%s' holds no networks, use nethash", c.SetType)
	}
	if c.MaxElements <= 0 {
		return fault.Errorf(fault.Invalid, "ipset_size must be positive")
	}
	if len(c.LogPrefix) > maxLogPrefix || strings.ContainsAny(c.LogPrefix, "\n\"\\") {
		return fault.Errorf(fault.Invalid, "deny_log_prefix is longer than %d bytes, or has quotes", maxLogPrefix)
	}
	for _, side := range c.sides() {
		if err := side.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (s side) validate() error {
	for _, name := range []string{s.Blacklist, s.Allowlist} {
		if !isPlain(name) || len(name) > maxSetName-maxSuffix {
			return fault.Errorf(fault.Invalid, "ipset: the name of a set is empty, too long or odd: '%s'", name)
		}
	}
	if s.Blacklist == s.Allowlist {
		return fault.Errorf(fault.Invalid, "ipset: '%s' is the name of two sets", s.Blacklist)
	}
	for _, chain := range s.Chains {
		if !isPlain(chain) {
			return fault.Errorf(fault.Invalid, "iptables: the name of a chain is odd: '%s'", chain)
		}
	}
	return nil
}

// isPlain reports whether name can stand in a command without being taken for something else.
func isPlain(name string) bool {
	return name != "" && name[0] != '-' && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("\"'\\!", r)
	})
}

// side is one enabled address family.
type side struct {
	Family

	ipv6 bool
}

func (c Config) sides() []side { return remediation.Families(c.IPv4.Enabled, c.IPv6.Enabled, c.side) }

func (c Config) side(ipv6 bool) side {
	if ipv6 {
		return side{c.IPv6, true}
	}
	return side{c.IPv4, false}
}

// program returns the name of a program for the family: iptables-save or ip6tables-save.
func (s side) program(suffix string) string {
	if s.ipv6 {
		return "ip6tables" + suffix
	}
	return "iptables" + suffix
}

// family returns what ipset calls the family.
func (s side) family() string {
	if s.ipv6 {
		return "inet6"
	}
	return "inet"
}
