package config

import "shieldwall/internal/platform/yamlfile"

// Simulation says which scenarios only pretend.
type Simulation struct {
	All        bool
	Exclusions []string
}

// Covers reports whether alerts of the scenario are simulated.
func (s Simulation) Covers(scenario string) bool {
	for _, name := range s.Exclusions {
		if name == scenario {
			return !s.All
		}
	}
	return s.All
}

// LoadSimulation reads simulation.yaml. A missing file is an error, as published.
func LoadSimulation(path string) (Simulation, error) {
	text, err := yamlfile.ReadMerged(path)
	if err != nil {
		return Simulation{}, err
	}
	var raw struct {
		Simulation *bool    `yaml:"simulation"`
		Exclusions []string `yaml:"exclusions"`
	}
	if err := yamlfile.Decode(path, text, &raw); err != nil {
		return Simulation{}, err
	}
	return Simulation{All: raw.Simulation != nil && *raw.Simulation, Exclusions: raw.Exclusions}, nil
}
