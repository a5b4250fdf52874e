package nftables

import (
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/remediation"
)

func TestSetNames(t *testing.T) {
	t.Parallel()
	family := Family{Blacklist: "crowdsec-blacklists", Allowlist: "crowdsec-allowlists"}
	if set, ok := family.setOf(family.setName(remediation.Set{Allow: true}), true); !ok || set != (remediation.Set{Allow: true, Ranges: true, IPv6: true}) {
		t.Errorf("the allowlist is read back as %+v, %t", set, ok)
	}
	for origin, want := range map[string]string{
		"crowdsec":                   "crowdsec-blacklists-crowdsec",
		"CAPI":                       "crowdsec-blacklists-CAPI",
		"cscli-import":               "crowdsec-blacklists-cscli-import",
		"crowdsec/appsec":            "crowdsec-blacklists-crowdsec/appsec",
		"lists:tor-exit":             "crowdsec-blacklists-lists-tor-exit",
		"lists:crowdsecurity/a.b_c":  "crowdsec-blacklists-lists-crowdsecurity/a.b_c",
		"lists:firehol ; drop table": "crowdsec-blacklists-lists-firehol___drop_table-d5c56521",
	} {
		if got := family.setName(remediation.Set{Group: groupOf(origin)}); got != want {
			t.Errorf("%s: %s, want %s", origin, got, want)
		}
	}
}

// Names are the only memory of what a set is for.
func TestNamesAreReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		origin := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`(lists[:-])?[a-zA-Z0-9/ _:.-]{0,120}(-ranges)?`),
		).Draw(t, "origin")
		for _, family := range []Family{{Blacklist: "a", Allowlist: "b"}, {Blacklist: "a", Allowlist: "b", SetOnly: true}} {
			set := remediation.Set{Group: groupOf(origin), Ranges: rapid.Bool().Draw(t, "ranges")}
			if family.SetOnly {
				set.Group = ""
			}
			name := family.setName(set)
			if got, ok := family.setOf(name, false); !ok || got != set {
				t.Fatalf("%q has set %q, which is read back as %+v, %t", origin, name, got, ok)
			}
			if len(name) > maxName-maxSuffix {
				t.Fatalf("%q is too long", name)
			}
		}
	})
}

func TestDifferentOriginsHaveDifferentSets(t *testing.T) {
	t.Parallel()
	family := Family{Blacklist: "a"}
	rapid.Check(t, func(t *rapid.T) {
		origin := rapid.StringMatching(`(lists[:-])?[ab _:]{0,4}(-ranges)?`)
		a, b := origin.Draw(t, "a"), origin.Draw(t, "b")
		if a == b {
			return
		}
		names := map[string]bool{}
		for _, text := range []string{a, b} {
			for _, ranges := range []bool{false, true} {
				names[family.setName(remediation.Set{Group: groupOf(text), Ranges: ranges})] = true
			}
		}
		if len(names) != 4 {
			t.Fatalf("%q and %q share sets: %v", a, b, names)
		}
	})
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	good := Family{Enabled: true, Table: "t", Chain: "c", Blacklist: "b", Allowlist: "a"}
	confused := good
	confused.Allowlist = "b-CAPI"
	long := string(make([]byte, maxName))
	for name, config := range map[string]Config{
		"no table":        {IPv4: Family{Enabled: true, Chain: "c", Blacklist: "b", Allowlist: "a"}},
		"long table":      {IPv6: Family{Enabled: true, Table: long, Chain: "c", Blacklist: "b", Allowlist: "a"}},
		"sets mixed up":   {IPv4: confused},
		"long log prefix": {IPv4: good, LogPrefix: long},
	} {
		if err := config.validate(); err == nil {
			t.Errorf("%s is valid", name)
		}
	}
	if err := (Config{IPv4: good}).validate(); err != nil {
		t.Error(err)
	}
}

func TestParseVerdict(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Verdict{"": Drop, "drop": Drop, "DROP": Drop, "Reject": Reject} {
		if got, err := ParseVerdict(text); err != nil || got != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	if _, err := ParseVerdict("TARPIT"); err == nil || err.Error() != "invalid deny_action 'TARPIT', must be one of DROP, REJECT" {
		t.Errorf("got %v", err)
	}
}
