// Package filter turns the flags with which cscli selects alerts and decisions into queries.
//
// It owns the spelling of what is asked on the command line; what matches is decided by the Local API.
package filter

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/pflag"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/platform/duration"
)

// Alerts are the flags that select alerts by what they or their decisions are about.
type Alerts struct {
	IP, Range, Value, Scope string
	Scenario, Origin        string
	Since, Until            Duration
	Contained               bool
}

// BindSubject defines the flags that lists and deletions of alerts share.
func (a *Alerts) BindSubject(set *pflag.FlagSet) {
	set.StringVarP(&a.IP, "ip", "i", "", "restrict to this source ip (shorthand for --scope ip --value <IP>)")
	set.StringVarP(&a.Range, "range", "r", "", "restrict to this range (shorthand for --scope range --value <RANGE>)")
	set.StringVarP(&a.Value, "value", "v", "", "the value to match")
	set.StringVarP(&a.Scenario, "scenario", "s", "", "the scenario to match")
	set.StringVar(&a.Scope, "scope", "", "the scope to match: ip, range, country, as, …")
	set.BoolVar(&a.Contained, "contained", false, "match what is inside the given address or range, not what contains it")
}

// BindList defines the flags that all lists have.
func (a *Alerts) BindList(set *pflag.FlagSet) {
	a.BindSubject(set)
	set.Var(&a.Since, "since", "restrict to alerts newer than this duration (4h, 30d)")
	set.Var(&a.Until, "until", "restrict to alerts older than this duration (4h, 30d)")
	set.StringVar(&a.Origin, "origin", "",
		"the origin of decisions to match: cscli, crowdsec, console, cscli-import, lists, CAPI, remediation_sync")
}

// Query returns what was asked; an error names what is neither an address nor a range.
func (a *Alerts) Query() (localapiclient.AlertQuery, error) {
	if err := CheckIP(a.IP); err != nil {
		return localapiclient.AlertQuery{}, err
	}
	if err := CheckRange(a.Range); err != nil {
		return localapiclient.AlertQuery{}, err
	}
	return localapiclient.AlertQuery{
		Scope: string(domain.NormalizeScope(a.Scope)), Value: a.Value, Scenario: a.Scenario,
		IP: a.IP, Range: a.Range, Inside: a.Contained,
		Since: time.Duration(a.Since), Until: time.Duration(a.Until), Origin: a.Origin,
	}, nil
}

// CheckIP refuses what is not an address; "" is nothing to check.
func CheckIP(text string) error {
	if text == "" {
		return nil
	}
	if _, err := netip.ParseAddr(text); err != nil {
		return fmt.Errorf("%s is not a valid ip", text)
	}
	return nil
}

// CheckRange refuses what is not a prefix; "" is nothing to check.
func CheckRange(text string) error {
	if text == "" {
		return nil
	}
	if _, err := netip.ParsePrefix(text); err != nil {
		return fmt.Errorf("%s is not a valid range", text)
	}
	return nil
}

// Duration is a flag for a duration that may begin with days ("7d12h"). Zero means it was not given.
type Duration time.Duration

// Set reads text.
func (d *Duration) Set(text string) error {
	parsed, err := duration.Parse(text)
	if err != nil {
		return err
	}
	*d = Duration(parsed)
	return nil
}

// String returns the duration as Go writes it, "" for none.
func (d *Duration) String() string {
	if *d == 0 {
		return ""
	}
	return time.Duration(*d).String()
}

// Type names the kind of value in help texts.
func (d *Duration) Type() string { return "duration" }
