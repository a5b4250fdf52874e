package hubtest

import (
	"context"
	"errors"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/hubtest"
)

func newCreate(runner *session.Runner, p *place) *cobra.Command {
	var config hubtest.Config
	cmd := &cobra.Command{
		Use:   "create <test_name>",
		Short: "Create a test",
		Long:  "Make a test case with an empty log and without assertions. Once it has a log, a run proposes the assertions.",
		Example: "cscli hubtest create my-bf --type syslog --scenarios crowdsecurity/ssh-bf\n" +
			"cscli hubtest create my-parser --type nginx --parsers crowdsecurity/nginx-logs",
		Args: session.Args(cobra.ExactArgs(1)),
		RunE: p.on(runner, func(_ context.Context, s *session.Session, h *hubtest.Hub, args []string) error {
			return create(s, h, args[0], config)
		}),
	}
	set := cmd.Flags()
	set.StringVarP(&config.LogType, "type", "t", "", "type of the log")
	set.StringSliceVarP(&config.Parsers, "parsers", "p", nil, "parsers, beside those for syslog and dates")
	set.StringSliceVar(&config.Postoverflows, "postoverflows", nil, "postoverflows")
	set.StringSliceVarP(&config.Scenarios, "scenarios", "s", nil, "scenarios")
	set.BoolVar(&config.IgnoreParsers, "ignore-parsers", false, "do not judge what parsers do")
	return cmd
}

func create(s *session.Session, h *hubtest.Hub, name string, config hubtest.Config) error {
	if config.LogType == "" {
		return errors.New("please say what type the log has (--type)")
	}
	config.LogFile = name + ".log"
	for _, usual := range usualParsers(h.Catalog) {
		if !slices.Contains(config.Parsers, usual) {
			config.Parsers = append(config.Parsers, usual)
		}
	}
	config.Scenarios, config.Postoverflows = orNone(config.Scenarios), orNone(config.Postoverflows)
	c, err := h.Create(name, config)
	if err != nil {
		return err
	}
	if s.Output == session.JSON {
		return s.PrintJSONLine(describe(c))
	}
	return s.Print("\n" + information(c) + "\nFill the log, then run the test: it proposes the assertions.\n")
}

// usualParsers returns the parsers for syslog and dates that the hub has: the published ones, or else its own of that name.
func usualParsers(catalog *hub.Catalog) (usual []string) {
	for _, name := range []string{"syslog-logs", "dateparse-enrich"} {
		if published := "crowdsecurity/" + name; catalog.Offer(hub.Parsers, published) != nil {
			usual = append(usual, published)
			continue
		}
		for _, own := range catalog.Names(hub.Parsers) {
			if path.Base(own) == name {
				usual = append(usual, own)
				break
			}
		}
	}
	return usual
}

// orNone writes an empty list the way the published tests do.
func orNone(names []string) []string {
	if len(names) == 0 {
		return []string{""}
	}
	return names
}
