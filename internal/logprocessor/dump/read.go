package dump

import (
	"fmt"
	"os"
	"path/filepath"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/yamlfile"
)

// noStage is the fixed entry among the stages of the parser file.
const noStage = "success"

// ReadParsers reads what the parsers of a run did, from the folder that it was written to. A file that
// cannot be understood is of kind fault.Invalid.
func ReadParsers(dir string) (ParserResults, error) {
	return readFile[ParserResults](dir, ParserFile)
}

// ReadPours is ReadParsers for the events that reached the scenarios.
func ReadPours(dir string) (Pours, error) { return readFile[Pours](dir, PourFile) }

// ReadOverflows is ReadParsers for the overflows, in the order in which they happened.
func ReadOverflows(dir string) ([]event.Event, error) {
	return readFile[[]event.Event](dir, OverflowFile)
}

// Stages returns the results without the fixed entry that is no stage. The results are shared.
func (r ParserResults) Stages() ParserResults {
	stages := make(ParserResults, len(r))
	for stage, parsers := range r {
		if stage != noStage {
			stages[stage] = parsers
		}
	}
	return stages
}

// Reached returns the events that reached the scenarios at all.
func (p Pours) Reached() []event.Event { return p[everything] }

// Scenarios returns the pours without the entry for all scenarios together. The events are shared.
func (p Pours) Scenarios() Pours {
	scenarios := make(Pours, len(p))
	for name, events := range p {
		if name != everything {
			scenarios[name] = events
		}
	}
	return scenarios
}

func readFile[T any](dir, name string) (T, error) {
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path) //nolint:gosec // the caller's folder
	if err != nil {
		var nothing T
		return nothing, fmt.Errorf("reading dump: %w", err)
	}
	return decode[T](path, text)
}

func decode[T any](path string, text []byte) (T, error) {
	var content T
	if err := yamlfile.DecodeLenient(path, text, &content); err != nil {
		return content, fault.Mark(fault.Invalid, fmt.Errorf("reading dump: %w", err))
	}
	return content, nil
}
