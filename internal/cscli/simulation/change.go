package simulation

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/config"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
	"shieldwall/internal/platform/atomicfile"
)

// mode says whether something pretends.
type mode uint8

const (
	off mode = iota
	on
)

// String returns the published word.
func (m mode) String() string {
	if m == on {
		return "enabled"
	}
	return "disabled"
}

func modeOf(simulated bool) mode {
	if simulated {
		return on
	}
	return off
}

// request is what a command line asks for.
type request struct {
	to        mode
	global    bool
	scenarios []string
}

// record is simulation.yaml as published.
type record struct {
	Simulation bool     `yaml:"simulation" json:"simulation"`
	Exclusions []string `yaml:"exclusions" json:"exclusions"`
}

// recordOf writes no exclusions as an empty list.
func recordOf(settings config.Simulation) record {
	return record{Simulation: settings.All, Exclusions: append([]string{}, settings.Exclusions...)}
}

func change(ctx context.Context, s *session.Session, r request) error {
	path := s.Config.Paths.SimulationPath
	settings, err := config.LoadSimulation(path)
	if err != nil {
		return err
	}
	if r.global {
		settings = config.Simulation{All: r.to == on}
		if err := s.Printf("global simulation: %s\n", r.to); err != nil {
			return err
		}
	}
	known, err := r.known(ctx, s)
	if err != nil {
		return err
	}
	for _, scenario := range known {
		var told string
		settings, told = turn(settings, scenario, r.to)
		if err := s.Print(told + "\n"); err != nil {
			return err
		}
	}
	if err := save(ctx, s, path, settings); err != nil {
		return err
	}
	return s.Print(session.ReloadHint + "\n")
}

// known leaves out what is no scenario that is installed or offered, and says so.
func (r request) known(ctx context.Context, s *session.Session) ([]string, error) {
	if len(r.scenarios) == 0 {
		return nil, nil
	}
	inventory, err := scan(s)
	if err != nil {
		return nil, err
	}
	catalog, err := hub.ReadCatalog(s.Config.Paths.IndexPath)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, name := range r.scenarios {
		_, offered := catalog.Find(hub.Scenarios, name)
		switch installed := slices.Contains(inventory.Names(hub.Scenarios), name); {
		case installed:
		case offered:
			s.Warn(ctx, "'%s' isn't enabled", name)
		default:
			s.Error(ctx, "'%s' doesn't exist or is not a scenario", name)
			continue
		}
		known = append(known, name)
	}
	return known, nil
}

// turn makes one scenario pretend, or not, and says what that has changed. Exclusions are those for which the global
// setting is inverted.
func turn(settings config.Simulation, scenario string, to mode) (config.Simulation, string) {
	if modeOf(settings.Covers(scenario)) == to {
		return settings, fmt.Sprintf("simulation mode for %q is already %s", scenario, to)
	}
	exclusions := slices.DeleteFunc(slices.Clone(settings.Exclusions), func(name string) bool { return name == scenario })
	settings.Exclusions = exclusions
	if modeOf(settings.All) != to {
		settings.Exclusions = append(exclusions, scenario)
	}
	return settings, fmt.Sprintf("simulation mode for %q %s", scenario, to)
}

// save writes the file and says so when the .local one beside it has the last word.
func save(ctx context.Context, s *session.Session, path string, settings config.Simulation) error {
	text, err := yaml.Marshal(recordOf(settings))
	if err != nil {
		return fmt.Errorf("encoding simulation settings: %w", err)
	}
	if err := atomicfile.Write(path, text, 0o644); err != nil {
		return err
	}
	inForce, err := config.LoadSimulation(path)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(recordOf(inForce), recordOf(settings)) {
		s.Warn(ctx, "%s.local decides otherwise: change it there", path)
	}
	return nil
}
