package iptables

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	ownChain = "CROWDSEC_CHAIN"
	logChain = "CROWDSEC_LOG"

	commentHead = "CrowdSec: "
)

// traffic is what a rule or a policy has counted.
type traffic struct {
	packets, bytes uint64
}

func (t traffic) plus(other traffic) traffic {
	return traffic{t.packets + other.packets, t.bytes + other.bytes}
}

// rule is one line of a chain.
type rule struct {
	set     string // the packet's source is in it; empty: any packet
	comment string
	gate    bool // only packets from outside that belong to no connection
	target  string
	prefix  string // of the log, with the target LOG
	foreign bool   // it does something that we do not: the rest is what could be made out
}

// counted is a rule with what it has counted.
type counted struct {
	rule

	traffic traffic
}

// table is the table filter of one family.
type table struct {
	chains   map[string][]counted
	policies map[string]traffic
}

// parseTable reads what iptables-save -c prints.
func parseTable(text []byte) (table, error) {
	t := table{chains: map[string][]counted{}, policies: map[string]traffic{}}
	for line := range bytes.Lines(text) {
		if err := t.line(strings.TrimRight(string(line), "\n")); err != nil {
			return table{}, fmt.Errorf("line %q: %w", line, err)
		}
	}
	return t, nil
}

func (t *table) line(line string) error {
	switch {
	case strings.HasPrefix(line, ":"):
		return t.chain(line[1:])
	case strings.HasPrefix(line, "["):
		return t.rule(line)
	}
	return nil // comments, the name of the table, its end
}

// chain reads "INPUT ACCEPT [packets:bytes]".
func (t *table) chain(line string) error {
	name, rest, _ := strings.Cut(line, " ")
	_, count, _ := strings.Cut(rest, " ")
	traffic, err := parseTraffic(count)
	if name == "" || err != nil {
		return errors.New("no chain")
	}
	t.policies[name] = traffic
	if t.chains[name] == nil {
		t.chains[name] = []counted{}
	}
	return nil
}

// rule reads "[packets:bytes] -A CHAIN …".
func (t *table) rule(line string) error {
	count, rest, _ := strings.Cut(line, " ")
	traffic, err := parseTraffic(count)
	if err != nil {
		return err
	}
	words, err := split(rest)
	if err != nil {
		return err
	}
	if len(words) < 2 || words[0] != "-A" {
		return errors.New("no rule")
	}
	t.chains[words[1]] = append(t.chains[words[1]], counted{parseRule(words[2:]), traffic})
	return nil
}

func parseTraffic(text string) (traffic, error) {
	inner, opened := strings.CutPrefix(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	packets, bytes, both := strings.Cut(inner, ":")
	p, err1 := strconv.ParseUint(packets, 10, 64)
	b, err2 := strconv.ParseUint(bytes, 10, 64)
	if !opened || !closed || !both || err1 != nil || err2 != nil {
		return traffic{}, fmt.Errorf("no counters: %q", text)
	}
	return traffic{p, b}, nil
}

// split cuts a command into words; those with spaces are in double quotes, in which a backslash stands
// before quotes and backslashes.
func split(text string) ([]string, error) {
	var words []string
	for text = strings.TrimLeft(text, " "); text != ""; text = strings.TrimLeft(text, " ") {
		if text[0] != '"' {
			word, rest, _ := strings.Cut(text, " ")
			words, text = append(words, word), rest
			continue
		}
		word, rest, err := quoted(text[1:])
		if err != nil {
			return nil, err
		}
		words, text = append(words, word), rest
	}
	return words, nil
}

// quoted reads up to the closing quotes.
func quoted(text string) (word, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], nil
		case '\\':
			if i++; i == len(text) {
				return "", "", errors.New("ends behind a backslash")
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", errors.New("quotes are not closed")
}

// gateMatch is how a rule tells packets from outside that belong to no connection. Programs print the states
// in either order.
func gateMatches() [][]string {
	return [][]string{
		{"!", "-i", "lo", "-m", "conntrack", "--ctstate", "INVALID,NEW"},
		{"!", "-i", "lo", "-m", "conntrack", "--ctstate", "NEW,INVALID"},
	}
}

// parseRule reads the words behind the name of the chain.
func parseRule(words []string) rule {
	var r rule
	for _, match := range gateMatches() {
		if len(words) >= len(match) && slices.Equal(words[:len(match)], match) {
			r.gate, words = true, words[len(match):]
		}
	}
	for len(words) > 0 {
		used := r.option(words)
		if used == 0 {
			r.foreign = true
			used = 1
		}
		words = words[used:]
	}
	return r
}

// option reads the option that words begin with, and returns how many words it has; 0 when it is none of ours.
func (r *rule) option(words []string) int {
	value := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch {
	case words[0] == "-m" && (value(1) == "set" || value(1) == "comment"):
		return 2 //nolint:mnd // words
	case words[0] == "--match-set" && r.set == "" && value(2) == "src":
		r.set = value(1)
		return 3 //nolint:mnd // words
	case words[0] == "--comment" && r.comment == "" && len(words) > 1:
		r.comment = value(1)
		return 2 //nolint:mnd // words
	case words[0] == "-j" && r.target == "" && len(words) > 1:
		r.target = value(1)
		return 2 //nolint:mnd // words
	case words[0] == "--log-prefix" && r.target == string(Log) && len(words) > 1:
		r.prefix = value(1)
		return 2 //nolint:mnd // words
	case words[0] == "--reject-with" && r.target == string(Reject) && strings.HasSuffix(value(1), "-port-unreachable"):
		return 2 //nolint:mnd // words
	}
	return 0
}

// command returns r as iptables-restore reads it, behind the name of the chain.
func (r rule) command() string {
	var words []string
	if r.gate {
		words = append(words, gateMatches()[0]...)
	}
	if r.set != "" {
		words = append(words, "-m", "set", "--match-set", r.set, "src")
	}
	if r.comment != "" {
		words = append(words, "-m", "comment", "--comment", `"`+r.comment+`"`)
	}
	words = append(words, "-j", r.target)
	if r.prefix != "" {
		words = append(words, "--log-prefix", `"`+r.prefix+`"`)
	}
	return strings.Join(words, " ")
}
