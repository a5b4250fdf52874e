package filter_test

import (
	"io"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/localapiclient"
)

func TestFlagsBecomeAQuery(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want localapiclient.AlertQuery
		err  string
	}{
		{nil, localapiclient.AlertQuery{}, ""},
		{
			[]string{"-i", "1.2.3.4", "-r", "2001:db8::/32", "-v", "v", "-s", "s", "--scope", "RANGE", "--origin", "o", "--contained"},
			localapiclient.AlertQuery{
				IP: "1.2.3.4", Range: "2001:db8::/32", Value: "v", Scenario: "s", Scope: "Range", Origin: "o", Inside: true,
			},
			"",
		},
		{[]string{"--scope", "username"}, localapiclient.AlertQuery{Scope: "username"}, ""},
		{
			[]string{"--since", "1d30m", "--until", "-2d"},
			localapiclient.AlertQuery{Since: 24*time.Hour + 30*time.Minute, Until: -48 * time.Hour},
			"",
		},
		{[]string{"-i", "1.2.3.0/24"}, localapiclient.AlertQuery{}, "1.2.3.0/24 is not a valid ip"},
		{[]string{"-r", "1.2.3.4"}, localapiclient.AlertQuery{}, "1.2.3.4 is not a valid range"},
		{[]string{"--since", "toto"}, localapiclient.AlertQuery{}, `invalid argument "toto" for "--since" flag: time: invalid duration "toto"`},
		{[]string{"--until", "1 day"}, localapiclient.AlertQuery{}, `invalid argument "1 day" for "--until" flag: invalid day value in duration "1 day"`},
	} {
		got, err := parse(c.args)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != c.want || text != c.err {
			t.Errorf("%q: got %+v, %q", c.args, got, text)
		}
	}
}

func parse(args []string) (localapiclient.AlertQuery, error) {
	var alerts filter.Alerts
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	alerts.BindList(set)
	if err := set.Parse(args); err != nil {
		return localapiclient.AlertQuery{}, err
	}
	return alerts.Query()
}
