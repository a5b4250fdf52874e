package detection

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/platform/yamlfile"
)

// Setup is what was found on a machine.
type Setup struct {
	Services []Service `yaml:"setup" json:"setup"`
}

// Service is one service that was found.
type Service struct {
	Name        string           `yaml:"detected_service" json:"detected_service"`
	Hub         HubSpec          `yaml:"hub_spec,omitempty" json:"hub_spec,omitempty"`
	Acquisition *AcquisitionSpec `yaml:"acquisition_spec,omitempty" json:"acquisition_spec,omitempty"`
}

// HubSpec lists the items that a service needs, by type.
type HubSpec map[string][]string

// AcquisitionSpec says where the logs of a service are.
type AcquisitionSpec struct {
	Filename   string         `yaml:"filename" json:"filename"` // of the file to write, without a folder
	Datasource map[string]any `yaml:"datasource" json:"datasource"`
}

// Parse reads a setup in YAML or JSON, whose path is used in errors. Keys that do not exist are errors.
func Parse(path string, text []byte) (Setup, error) {
	var setup Setup
	if err := yamlfile.Decode(path, text, &setup); err != nil {
		return Setup{}, err
	}
	return setup, nil
}

// JSON returns the setup on one line.
func (s Setup) JSON() ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding the setup: %w", err)
	}
	return append(text, '\n'), nil
}

// YAML returns the setup, indented by two.
func (s Setup) YAML() ([]byte, error) { return encode(s) }

func encode(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encoding the setup: %w", err)
	}
	return text.Bytes(), nil
}

// Names returns the services in their order.
func (s Setup) Names() []string {
	names := make([]string, len(s.Services))
	for i := range s.Services {
		names[i] = s.Services[i].Name
	}
	return names
}

// Validate checks every acquisition specification with the data sources that there are.
func (s Setup) Validate(registry acquisition.Registry) error {
	byFile := map[string]*AcquisitionSpec{}
	for i, service := range s.Services {
		spec := service.Acquisition
		if spec == nil {
			continue
		}
		err := spec.validate(registry)
		if other := byFile[spec.Filename]; err == nil && other != nil && !reflect.DeepEqual(other, spec) {
			err = fmt.Errorf("filename %s is used for something else already", spec.Filename)
		}
		if err != nil {
			return fmt.Errorf("invalid acquisition spec (%d): %w", i, err)
		}
		byFile[spec.Filename] = spec
	}
	return nil
}

func (a *AcquisitionSpec) validate(registry acquisition.Registry) error {
	switch {
	case a.Filename == "":
		return errors.New("a filename for the datasource configuration is required")
	case strings.ContainsAny(a.Filename, `/\`):
		return errors.New(`acquisition filename must not contain slashes (/) or backslashes (\)`)
	}
	kind, _ := a.Datasource["source"].(string)
	if kind == "" {
		return errors.New("source field is required")
	}
	factory, ok := registry[kind]
	if !ok {
		return fmt.Errorf("unknown data source %s", kind)
	}
	text, err := encode(a.Datasource)
	if err != nil {
		return err
	}
	documents, err := acquisition.ParseDocuments(a.Filename, text)
	if err != nil {
		return err
	}
	_, err = factory.Decode(documents[0])
	return err
}
