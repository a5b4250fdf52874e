package parser

import (
	"net/netip"
	"slices"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/yamlfile"
)

// sourceIP is what the addresses of a whitelist are compared with.
var sourceIP = event.MetaField("source_ip")

// whitelist marks events that nobody must be banned for.
type whitelist struct {
	reason      string
	addrs       map[netip.Addr]bool
	prefixes    []netip.Prefix
	expressions []*expression.Bool
}

func (c *nodeCompiler) compileWhitelist(n *node, spec *nodeSpec) error {
	if spec.Whitelist.empty() {
		return nil
	}
	w := &whitelist{reason: spec.Whitelist.Reason, addrs: map[netip.Addr]bool{}}
	for i, text := range spec.Whitelist.IPs {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return yamlfile.In("ip", yamlfile.Entry(i, err))
		}
		w.addrs[addr] = true
	}
	for i, text := range spec.Whitelist.CIDRs {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return yamlfile.In("cidr", yamlfile.Entry(i, err))
		}
		w.prefixes = append(w.prefixes, prefix.Masked())
	}
	for i, text := range spec.Whitelist.Expressions {
		compiled, err := c.deps.Expressions.CompileBool(text, event.Env{})
		if err != nil {
			return yamlfile.In("expression", yamlfile.Entry(i, err))
		}
		w.expressions = append(w.expressions, compiled)
	}
	n.whitelist = w
	return nil
}

// check marks the event if the whitelist covers it, and reports whether it does. The first reason stays.
func (w *whitelist) check(n *node, r *Runner) bool {
	if w == nil || !w.covers(n, r) {
		return false
	}
	evt := r.env.Evt
	if !evt.Whitelisted {
		evt.Whitelisted, evt.WhitelistReason = true, w.reason
	}
	if evt.Type == event.Overflow {
		evt.Overflow.Whitelisted = true
	}
	return true
}

func (w *whitelist) covers(n *node, r *Runner) bool {
	if len(w.addrs)+len(w.prefixes) > 0 {
		r.counts.add(compared, n)
		if w.coversSource(r.env.Evt) {
			r.counts.add(covered, n)
			return true
		}
	}
	if len(w.expressions) == 0 {
		return false
	}
	r.counts.add(compared, n)
	for _, condition := range w.expressions {
		holds, err := condition.Eval(&r.env)
		if err != nil {
			n.log.Warn("whitelist expression cannot be evaluated", "error", err)
			return false
		}
		if holds {
			r.counts.add(covered, n)
			return true
		}
	}
	return false
}

func (w *whitelist) coversSource(evt *event.Event) bool {
	if evt.Type == event.Overflow {
		return slices.ContainsFunc(evt.ParseIPSources(), w.coversAddr)
	}
	addr, err := netip.ParseAddr(sourceIP.Of(evt))
	return err == nil && w.coversAddr(addr)
}

func (w *whitelist) coversAddr(addr netip.Addr) bool {
	return w.addrs[addr] ||
		slices.ContainsFunc(w.prefixes, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}
