package detection

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"shieldwall/internal/platform/yamlfile"
)

// Rules are those of a detect.yaml, compiled.
type Rules struct {
	services []rule // by name
}

// rule says when a service is there, and what it needs then.
type rule struct {
	name string
	when []condition
	service
}

type condition struct {
	text    string
	program *vm.Program
}

// service is what a rule says of a service.
type service struct {
	Hub         HubSpec          `yaml:"hub_spec"`
	Acquisition *AcquisitionSpec `yaml:"acquisition_spec"`
}

// ParseRules reads and compiles a detect.yaml, whose path is used in errors. Keys that do not exist and conditions that
// are none are errors.
func ParseRules(path string, text []byte) (*Rules, error) {
	var file struct {
		Detect map[string]struct {
			When    []string `yaml:"when"`
			service `yaml:",inline"`
		} `yaml:"detect"`
	}
	if err := yamlfile.Decode(path, text, &file); err != nil {
		return nil, err
	}
	var rules Rules
	for _, name := range slices.Sorted(maps.Keys(file.Detect)) {
		written := file.Detect[name]
		r := rule{name: name, service: written.service}
		for _, text := range written.When {
			program, err := expr.Compile(text, expr.Env(environment{}), expr.AsBool())
			if err != nil {
				return nil, fmt.Errorf("%s: service %s: condition %q: %w", path, name, text, err)
			}
			r.when = append(r.when, condition{text, program})
		}
		rules.services = append(rules.services, r)
	}
	return &rules, nil
}

// Names returns the services that the rules know, sorted.
func (r *Rules) Names() []string {
	names := make([]string, len(r.services))
	for i := range r.services {
		names[i] = r.services[i].name
	}
	return names
}

// Wishes change what is found.
type Wishes struct {
	Ignore []string // not found, whatever the rules say
	Force  []string // found, whatever the rules say; names that no rule has are an error
}

// Detect returns what is on the machine, by name.
func (r *Rules) Detect(machine Machine, wishes Wishes) (Setup, error) {
	if unknown := slices.DeleteFunc(slices.Clone(wishes.Force), func(name string) bool { return slices.Contains(r.Names(), name) }); len(unknown) > 0 {
		return Setup{}, fmt.Errorf("could not find the following services: [%s], please check the service detection rules", strings.Join(unknown, " "))
	}
	environment := machine.environment()
	found := Setup{Services: []Service{}}
	for _, rule := range r.services {
		there, err := rule.holds(environment)
		if err != nil {
			return Setup{}, err
		}
		if (there || slices.Contains(wishes.Force, rule.name)) && !slices.Contains(wishes.Ignore, rule.name) {
			found.Services = append(found.Services, Service{Name: rule.name, Hub: rule.Hub, Acquisition: rule.Acquisition})
		}
	}
	return found, nil
}

// holds evaluates all conditions, also after one that does not hold: a mistake in the others should not go unseen.
func (r *rule) holds(environment environment) (bool, error) {
	all := true
	for _, condition := range r.when {
		result, err := expr.Run(condition.program, environment)
		if err != nil {
			return false, fmt.Errorf("service %s: condition %q: %w", r.name, condition.text, err)
		}
		holds, _ := result.(bool) // compiled as a condition
		all = all && holds
	}
	return all, nil
}
