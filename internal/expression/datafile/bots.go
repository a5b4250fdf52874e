package datafile

import (
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"

	"shieldwall/internal/domain/fault"
)

// Bots is a list of bots that somebody vouches for. It is read-only and safe for concurrent use.
type Bots struct {
	all []bot
}

// Visit is what somebody who may be a bot shows of himself.
type Visit struct {
	Addr      netip.Addr
	UserAgent string
	Path      string
}

// bot is who shows one of the user agents and paths, and comes from one of the places. Texts are in lower case.
type bot struct {
	userAgent string   // a part of it; "": any
	paths     []string // how they begin; none: any
	addrs     []netip.Addr
	ranges    []netip.Prefix
	domains   []string // without dots around
}

// botLine is a bot as written.
type botLine struct {
	Name      string   `json:"name"`
	UserAgent string   `json:"user_agent"`
	Paths     []string `json:"paths"`
	IPs       []string `json:"ips"`
	Ranges    []string `json:"ranges"`
	RDNS      []string `json:"rdns"`
}

func newBots(lines []line) (*Bots, error) {
	bots := &Bots{all: make([]bot, 0, len(lines))}
	for _, line := range lines {
		parsed, err := parseBot(line.text)
		if err != nil {
			return nil, fault.Errorf(fault.Invalid, "line %d: %w", line.number, err)
		}
		bots.all = append(bots.all, parsed)
	}
	return bots, nil
}

func parseBot(text string) (bot, error) {
	written, err := decodeBot(text)
	if err != nil {
		return bot{}, err
	}
	parsed := bot{userAgent: strings.ToLower(written.UserAgent)}
	for _, path := range written.Paths {
		parsed.paths = append(parsed.paths, strings.ToLower(path))
	}
	for _, text := range written.IPs {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return bot{}, err
		}
		parsed.addrs = append(parsed.addrs, addr.Unmap())
	}
	for _, text := range written.Ranges {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return bot{}, err
		}
		parsed.ranges = append(parsed.ranges, prefix.Masked())
	}
	for _, domain := range written.RDNS {
		if domain = bareDomain(domain); domain == "" {
			return bot{}, errors.New("rdns: a domain is empty, every name would be in it")
		}
		parsed.domains = append(parsed.domains, domain)
	}
	return parsed, nil
}

func decodeBot(text string) (*botLine, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	written := &botLine{}
	if err := decoder.Decode(written); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the object")
	}
	if written.Name == "" {
		return nil, errors.New("name is missing")
	}
	if len(written.IPs)+len(written.Ranges)+len(written.RDNS) == 0 {
		return nil, errors.New("one of ips, ranges, rdns is required")
	}
	return written, nil
}

func bareDomain(name string) string { return strings.Trim(strings.ToLower(name), ".") }

// Match reports whether the visitor is one of the bots. It asks for the names of the address, those that
// lead back to it, at most once and only when they can decide.
func (b *Bots) Match(visit Visit, names func() []string) bool {
	visit.Addr = visit.Addr.Unmap()
	visit.UserAgent, visit.Path = strings.ToLower(visit.UserAgent), strings.ToLower(visit.Path)
	var named []bot
	for i := range b.all {
		candidate := &b.all[i]
		switch {
		case !candidate.looksLike(visit):
		case candidate.livesAt(visit.Addr):
			return true
		case len(candidate.domains) > 0:
			named = append(named, *candidate)
		}
	}
	return len(named) > 0 && anyIsNamed(named, names())
}

func (b *bot) looksLike(visit Visit) bool {
	return strings.Contains(visit.UserAgent, b.userAgent) && (len(b.paths) == 0 ||
		slices.ContainsFunc(b.paths, func(start string) bool { return strings.HasPrefix(visit.Path, start) }))
}

func (b *bot) livesAt(addr netip.Addr) bool {
	return slices.Contains(b.addrs, addr) ||
		slices.ContainsFunc(b.ranges, func(r netip.Prefix) bool { return r.Contains(addr) })
}

func anyIsNamed(bots []bot, names []string) bool {
	for _, name := range names {
		name = bareDomain(name)
		for i := range bots {
			if slices.ContainsFunc(bots[i].domains, func(domain string) bool { return isBelow(name, domain) }) {
				return true
			}
		}
	}
	return false
}

func isBelow(name, domain string) bool {
	rest, ok := strings.CutSuffix(name, domain)
	return ok && (rest == "" || strings.HasSuffix(rest, "."))
}
