package nftables

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"shieldwall/internal/domain/fault"
)

// Config says what the backend owns and what it does with packets.
type Config struct {
	IPv4, IPv6 Family
	Hooks      []Hook
	Verdict    Verdict
	LogPrefix  string // of the kernel's log of denied packets; empty: not logged
	Namespace  int    // descriptor of the network namespace; 0: that of the process
}

// Family is what Config says of one address family.
type Family struct {
	Enabled   bool
	SetOnly   bool   // only fill a set in an existing table
	Table     string // name
	Chain     string // prefix of chain names
	Blacklist string // prefix of set names, or the name with SetOnly
	Allowlist string // name of the set of what passes
	Priority  int32  // of the chains
}

// Hook is where packets are looked at.
type Hook struct {
	name   string
	number uint32
}

// ParseHook returns the hook of that name. A name that the kernel does not know for the families ip and ip6
// stands for prerouting, as published; known is false then.
func ParseHook(name string) (hook Hook, known bool) {
	numbers := map[string]uint32{
		"prerouting":  unix.NF_INET_PRE_ROUTING,
		"input":       unix.NF_INET_LOCAL_IN,
		"forward":     unix.NF_INET_FORWARD,
		"output":      unix.NF_INET_LOCAL_OUT,
		"postrouting": unix.NF_INET_POST_ROUTING,
	}
	number, known := numbers[name]
	return Hook{name: name, number: number}, known
}

// seesArrivals reports whether packets from outside come by, and not only what leaves.
func (h Hook) seesArrivals() bool {
	return h.number != unix.NF_INET_LOCAL_OUT && h.number != unix.NF_INET_POST_ROUTING
}

// GuardsHost reports whether rules of the backend drop packets of a family that are for this host.
func (c Config) GuardsHost(ipv6 bool) bool {
	family := c.side(ipv6)
	return family.Enabled && !family.SetOnly && slices.ContainsFunc(c.Hooks, func(h Hook) bool {
		return h.number == unix.NF_INET_PRE_ROUTING || h.number == unix.NF_INET_LOCAL_IN
	})
}

// Verdict is what happens to packets from banned addresses.
type Verdict string

// The verdicts. A rejected packet is answered with ICMP "administratively prohibited".
const (
	Drop   Verdict = "DROP"
	Reject Verdict = "REJECT"

	accept Verdict = "ACCEPT" // by this chain; others still have their say
)

// ParseVerdict reads a verdict in any case; empty means Drop.
func ParseVerdict(text string) (Verdict, error) {
	switch verdict := Verdict(strings.ToUpper(text)); verdict {
	case "", Drop:
		return Drop, nil
	case Reject:
		return Reject, nil
	default: // accept is no verdict about banned addresses
	}
	return "", fault.Errorf(fault.Invalid, "invalid deny_action '%s', must be one of DROP, REJECT", text)
}

const (
	maxName      = 255 // bytes of the longest name that the kernel accepts for an object
	maxLogPrefix = 127 // bytes
)

// validate refuses names that no origin, however short, could be appended to.
func (f Family) validate() error {
	for key, name := range map[string]string{
		"table": f.Table, "chain": f.Chain, "set": f.Blacklist, "set of allowlists": f.Allowlist,
	} {
		if name == "" {
			return fault.Errorf(fault.Invalid, "nftables: the name of the %s is empty", key)
		}
		if len(name) > maxName-maxSuffix {
			return fault.Errorf(fault.Invalid, "nftables: the name of the %s is too long, shorten it: %s", key, name)
		}
	}
	if strings.HasPrefix(f.Allowlist, f.Blacklist+"-") || f.Allowlist == f.Blacklist {
		return fault.Errorf(fault.Invalid, "nftables: the set of allowlists is named like one of bans: %s", f.Allowlist)
	}
	return nil
}

// validate checks the parts that are used.
func (c Config) validate() error {
	for _, family := range []Family{c.IPv4, c.IPv6} {
		if !family.Enabled {
			continue
		}
		if err := family.validate(); err != nil {
			return err
		}
	}
	for _, hook := range c.Hooks {
		if len(hook.name) > maxSuffix {
			return fault.Errorf(fault.Invalid, "nftables: unknown hook %s", hook.name)
		}
	}
	if len(c.LogPrefix) > maxLogPrefix {
		return fault.Errorf(fault.Invalid, "nftables: the log prefix is longer than %d bytes", maxLogPrefix)
	}
	return nil
}
