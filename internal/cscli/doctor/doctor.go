// Package doctor proves that this installation stops attackers: it lets one who does not exist attack, and follows
// him from a line in a log to the kernel.
//
// The line goes to a log of the doctor's own, which the log processor watches like any other: "cscli doctor install"
// puts the source, a parser and a scenario in place. The attacker has an address of a range that documentation uses,
// which no other decision is about. Everything is cleaned up afterwards, also after a failure: alert and decision are
// deleted, and the kernel has to have let go of the address. The doctor promises to name the first hop that failed,
// and what to do about it; it refuses to write to the logs of others, and to call something proven that it has not
// seen.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

// defaultTimeout is how long one hop may take. The slowest part is a component that polls every ten seconds.
const defaultTimeout = 20 * time.Second

type options struct {
	address  string
	firewall string
	without  bool
	timeout  time.Duration
}

// New returns the command "doctor", which alone examines.
func New(runner *session.Runner) *cobra.Command {
	o := options{timeout: defaultTimeout}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Prove that an attacker is stopped, from the log line to the kernel",
		Long: "Let an attacker who does not exist attack, and follow him: log line, scenario, decision, stream, kernel set,\n" +
			"packet and counter. Then everything is cleaned up. Each hop is shown with its time, or with the reason why it failed\n" +
			"and what to do. The attacker's address is one that documentation uses (203.0.113.0/24, 2001:db8::/32).\n\n" +
			"It runs on the machine of the log processor. As root, and where the firewall component runs too, it also looks\n" +
			"into the kernel, and sends itself a packet that pretends to come from the attacker and never leaves the machine.\n\n" +
			"The exit code is 0 when every hop is proven, and 1 otherwise; with --without-firewall that no component\n" +
			"enforces decisions is no failure.",
		Example: "cscli doctor install && systemctl reload crowdsec\ncscli doctor\ncscli doctor --ip 2001:db8::7 -o json",
		Args:    session.Args(cobra.NoArgs),
		RunE:    runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return run(ctx, s, o) }),
	}
	set := cmd.Flags()
	set.StringVar(&o.address, "ip", "", "address of the attacker (default: a free one of 203.0.113.0/24)")
	set.StringVar(&o.firewall, "firewall", "",
		"configuration of the firewall component (default: bouncers/crowdsec-firewall-bouncer.yaml beside that of crowdsec)")
	set.BoolVar(&o.without, "without-firewall", false, "expect that no remediation component enforces decisions")
	set.DurationVar(&o.timeout, "timeout", o.timeout, "how long one hop may take")
	cmd.AddCommand(newInstall(runner), newRemove(runner))
	return cmd
}

// errSick is the outcome when a hop is not proven: which one was printed.
var errSick = errors.New("not every hop is proven")

func run(ctx context.Context, s *session.Session, o options) error {
	if err := o.check(); err != nil {
		return err
	}
	e := &examination{session: s, options: o}
	e.run(ctx)
	if err := e.report.print(s); err != nil {
		return err
	}
	if !e.report.Proven {
		return errSick
	}
	return nil
}

// isSynthetic reports whether an address is one of those that documentation uses.
func isSynthetic(address netip.Addr) bool {
	for _, text := range []string{"203.0.113.0/24", "2001:db8::/32"} {
		if netip.MustParsePrefix(text).Contains(address) {
			return true
		}
	}
	return false
}

func (o options) check() error {
	if o.timeout <= 0 {
		return errors.New("--timeout must be positive")
	}
	if o.address == "" {
		return nil
	}
	address, err := netip.ParseAddr(o.address)
	if err != nil || !isSynthetic(address) {
		return fmt.Errorf("--ip %s is no address of 203.0.113.0/24 or 2001:db8::/32, which nobody uses", o.address)
	}
	return nil
}
