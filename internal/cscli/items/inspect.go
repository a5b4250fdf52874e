package items

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/cscli/metrics"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/hub"
)

type inspection struct {
	url             string
	diff, rev, mute bool
}

func (g group) newInspect() *cobra.Command {
	var o inspection
	cmd := &cobra.Command{
		Use:               "inspect [item]...",
		Short:             "Inspect given " + g.kind.Singular() + "(s)",
		Long:              "Show what is known of items, what running ones have done, or how they differ from those of the hub.",
		Example:           g.examples("inspect ITEM OTHER", "inspect ITEM --no-metrics", "inspect ITEM --diff"),
		Args:              session.Args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: g.complete((*hub.Holdings).All),
		RunE: g.run(func(ctx context.Context, s *session.Session, holdings *hub.Holdings, args []string) error {
			if o.rev && !o.diff {
				return errors.New("--rev can only be used with --diff")
			}
			found, err := g.find(holdings, args)
			if err != nil {
				return err
			}
			if o.diff {
				return printDiffs(ctx, s, holdings, found, o.rev)
			}
			for _, item := range found {
				if err := inspect(ctx, s, holdings, item, o); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	set := cmd.Flags()
	set.StringVarP(&o.url, "url", "u", "", "Prometheus url")
	set.BoolVar(&o.diff, "diff", false, "Show diff with latest version (for tainted items)")
	set.BoolVar(&o.rev, "rev", false, "Reverse diff output")
	set.BoolVar(&o.mute, "no-metrics", false, "Don't show metrics (when cscli.output=human)")
	return cmd
}

func inspect(ctx context.Context, s *session.Session, holdings *hub.Holdings, item *hub.Holding, o inspection) error {
	published, err := publishedOf(item)
	if err != nil {
		return err
	}
	if s.Output == session.JSON {
		return s.PrintJSONLine(document(item, published))
	}
	text, err := yaml.Marshal(description(item, published))
	if err != nil {
		return fmt.Errorf("encoding output: %w", err)
	}
	if err := s.Print(string(text)); err != nil {
		return err
	}
	if item.Tainted {
		if err := s.Printf("\nThis item is tainted. Use 'cscli %s inspect --diff %s' to see why.\n", item.Kind, item.Name); err != nil {
			return err
		}
	}
	if s.Output != session.Human || !item.Installed || o.mute {
		return nil
	}
	return showMetrics(ctx, s, holdings, item, o.url)
}

// published is what only the index says of an item.
type published struct {
	Content    string                     `json:"content"`
	References []string                   `json:"references"`
	Versions   map[string]json.RawMessage `json:"versions"`
}

func publishedOf(item *hub.Holding) (published, error) {
	var p published
	if item.Offer == nil {
		return p, nil
	}
	if err := json.Unmarshal(item.Offer.Raw(), &p); err != nil {
		return p, fmt.Errorf("hub index: %s: %w", item, err)
	}
	return p, nil
}

// dependencies are names of items by type, in the published order.
type dependencies struct {
	Parsers       []string `json:"parsers,omitempty" yaml:"parsers,omitempty"`
	Postoverflows []string `json:"postoverflows,omitempty" yaml:"postoverflows,omitempty"`
	Scenarios     []string `json:"scenarios,omitempty" yaml:"scenarios,omitempty"`
	Collections   []string `json:"collections,omitempty" yaml:"collections,omitempty"`
	Contexts      []string `json:"contexts,omitempty" yaml:"contexts,omitempty"`
	AppsecConfigs []string `json:"appsec-configs,omitempty" yaml:"appsec-configs,omitempty"`
	AppsecRules   []string `json:"appsec-rules,omitempty" yaml:"appsec-rules,omitempty"`
}

func dependenciesOf(item *hub.Holding) dependencies {
	byKind := map[hub.Kind][]string{}
	for _, need := range item.Needs {
		byKind[need.Kind] = append(byKind[need.Kind], need.Name)
	}
	return dependencies{
		Parsers: byKind[hub.Parsers], Postoverflows: byKind[hub.Postoverflows], Scenarios: byKind[hub.Scenarios],
		Collections: byKind[hub.Collections], Contexts: byKind[hub.Contexts],
		AppsecConfigs: byKind[hub.AppsecConfigs], AppsecRules: byKind[hub.AppsecRules],
	}
}

// inspectedJSON is an item as JSON, with the published keys in their order.
type inspectedJSON struct {
	Type        string                     `json:"type"`
	Stage       string                     `json:"stage,omitempty"`
	Name        string                     `json:"name"`
	FileName    string                     `json:"file_name"`
	Description string                     `json:"description"`
	Content     string                     `json:"content,omitempty"`
	References  []string                   `json:"references,omitempty"`
	Path        string                     `json:"path"`
	Version     string                     `json:"version"`
	Versions    map[string]json.RawMessage `json:"versions"`
	dependencies
	LocalPath    string   `json:"local_path"`
	LocalVersion string   `json:"local_version"`
	LocalHash    string   `json:"local_hash"`
	Installed    bool     `json:"installed"`
	Downloaded   bool     `json:"downloaded"`
	UpToDate     bool     `json:"up_to_date"`
	Tainted      bool     `json:"tainted"`
	Local        bool     `json:"local"`
	BelongsTo    []string `json:"belongs_to_collections"`
}

func document(item *hub.Holding, p published) inspectedJSON {
	shown := inspectedJSON{
		Type: string(item.Kind), Stage: item.Stage, Name: item.Name, FileName: item.FileName(), Description: item.Description,
		Content: p.Content, References: p.References, Versions: p.Versions, dependencies: dependenciesOf(item),
		LocalPath: item.LocalPath, LocalVersion: item.LocalVersion, LocalHash: item.LocalHash, Installed: item.Installed,
		Downloaded: item.Downloaded, UpToDate: item.UpToDate, Tainted: item.Tainted, Local: item.Local,
		BelongsTo: append([]string{}, item.BelongsTo...),
	}
	if item.Offer != nil {
		shown.Path, shown.Version = item.Offer.Path, item.Offer.Version
	}
	return shown
}

// inspectedYAML is an item for people.
type inspectedYAML struct {
	Type         string       `yaml:"type"`
	Stage        string       `yaml:"stage,omitempty"`
	Name         string       `yaml:"name"`
	FileName     string       `yaml:"file_name"`
	Description  string       `yaml:"description,omitempty"`
	References   []string     `yaml:"references,omitempty"`
	Path         string       `yaml:"path"`
	Version      string       `yaml:"version"`
	Dependencies dependencies `yaml:"dependencies"`
	LocalPath    string       `yaml:"local_path,omitempty"`
	LocalVersion string       `yaml:"local_version,omitempty"`
	LocalHash    string       `yaml:"local_hash,omitempty"`
	DownloadPath string       `yaml:"downloadpath"`
	UpToDate     bool         `yaml:"up_to_date"`
	Tainted      bool         `yaml:"tainted"`
	TaintedBy    []string     `yaml:"tainted_by,omitempty"`
	BelongsTo    []string     `yaml:"belongs_to_collections,omitempty"`
	Installed    bool         `yaml:"installed"`
	Local        bool         `yaml:"local"`
}

func description(item *hub.Holding, p published) inspectedYAML {
	d := document(item, p)
	shown := inspectedYAML{
		Type: d.Type, Stage: d.Stage, Name: d.Name, FileName: d.FileName, Description: d.Description, References: d.References,
		Path: d.Path, Version: d.Version, Dependencies: d.dependencies, LocalPath: d.LocalPath, LocalVersion: d.LocalVersion,
		LocalHash: d.LocalHash, UpToDate: d.UpToDate, Tainted: d.Tainted, BelongsTo: d.BelongsTo, Installed: d.Installed, Local: d.Local,
	}
	if item.Downloaded {
		shown.DownloadPath = d.Path
	}
	for _, ref := range item.TaintedBy {
		shown.TaintedBy = append(shown.TaintedBy, ref.String())
	}
	return shown
}

// showMetrics shows what the running engine counts for an item, and for all that a collection consists of.
func showMetrics(ctx context.Context, s *session.Session, holdings *hub.Holdings, item *hub.Holding, url string) error {
	if url == "" && !s.Config.Prometheus.Enabled {
		s.Warn(ctx, "prometheus is not enabled, can't show metrics")
		return nil
	}
	page, err := metrics.Ask(ctx, s, url)
	if err != nil {
		return fmt.Errorf("fetching metrics: %w", err)
	}
	if err := s.Print("\nCurrent metrics: \n"); err != nil {
		return err
	}
	return s.PrintTables(metricTables(s, holdings, item, page, map[*hub.Holding]bool{})...)
}

func metricTables(s *session.Session, holdings *hub.Holdings, item *hub.Holding, page metrics.Page, seen map[*hub.Holding]bool) []*table.Table {
	if item == nil || !item.Installed || seen[item] {
		return nil
	}
	seen[item] = true
	switch item.Kind {
	case hub.Parsers, hub.Postoverflows:
		return page.Parser(item.Name, s.Fancy)
	case hub.Scenarios:
		return page.Scenario(item.Name, s.Fancy)
	case hub.AppsecRules:
		return page.AppsecRule(item.Name, s.Fancy)
	case hub.Collections:
		var tables []*table.Table
		for _, need := range item.Needs {
			tables = append(tables, metricTables(s, holdings, holdings.Find(need), page, seen)...)
		}
		return tables
	case hub.Contexts, hub.AppsecConfigs:
	}
	return nil
}
