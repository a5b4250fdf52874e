// Package listing shows things of one kind in every form of output, and prunes them after a question.
//
// It owns what such commands have in common: an array as JSON, CSV with a header even when there is nothing, a table
// with the published name of each column. What is listed, and in which words, is the command's.
package listing

import (
	"context"
	"fmt"
	"time"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
)

// List says how things are shown.
type List[T any] struct {
	Record func(T) any // as JSON

	Header []string // of the table
	Row    func(T) []string

	RawHeader []string // of the CSV
	RawRow    func(T) []string
}

// Print shows all things in the format that the session wants.
func (l List[T]) Print(s *session.Session, all []T) error {
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(convert(all, l.Record))
	case session.Raw:
		return s.PrintCSV(l.RawHeader, convert(all, l.RawRow))
	case session.Human:
	}
	return s.PrintTables(l.table(s.Fancy, all))
}

func (l List[T]) table(fancy bool, all []T) *table.Table {
	t := table.Light(fancy)
	t.Header(l.Header...)
	for _, one := range all {
		t.Row(l.Row(one)...)
	}
	return t
}

// convert returns an empty slice, not nil, for nothing: it is an array in JSON.
func convert[T, U any](all []T, one func(T) U) []U {
	converted := make([]U, len(all))
	for i := range all {
		converted[i] = one(all[i])
	}
	return converted
}

// Pruning says what to prune.
type Pruning[T any] struct {
	Noun   string // plural: "machines"
	Done   string // begins the last message: "successfully deleted"
	Delete func(context.Context, T) error
	Force  bool // do not ask
}

const aborted = "User aborted prune. No changes were made.\n"

// Prune shows the candidates and deletes them when the user agrees.
func (l List[T]) Prune(ctx context.Context, s *session.Session, candidates []T, p Pruning[T]) error {
	if len(candidates) == 0 {
		return s.Printf("No %s to prune.\n", p.Noun)
	}
	if err := s.PrintTables(l.table(s.Fancy, candidates)); err != nil {
		return err
	}
	if !p.Force {
		agreed, err := s.Confirm(fmt.Sprintf("Delete these %s for good?", p.Noun))
		if err != nil {
			return err
		}
		if !agreed {
			return s.Print(aborted)
		}
	}
	for i, candidate := range candidates {
		if err := p.Delete(ctx, candidate); err != nil {
			return fmt.Errorf("unable to prune %s: %d of %d deleted: %w", p.Noun, i, len(candidates), err)
		}
	}
	_, err := fmt.Fprintf(s.Stderr, "%s %d %s\n", p.Done, len(candidates), p.Noun)
	return err
}

// shortest is the age from which on pruning is sure to spare what is at work.
const shortest = 2 * time.Minute

// ConfirmAge asks before what was silent for a moment only is deleted, even if questions are not wanted. It reports
// whether to go on.
func ConfirmAge(s *session.Session, noun string, age time.Duration) (bool, error) {
	if age >= shortest {
		return true, nil
	}
	agreed, err := s.Confirm(fmt.Sprintf("The duration is less than 2 minutes, so that %s at work may be deleted. Go on?", noun))
	if err != nil || agreed {
		return agreed, err
	}
	return false, s.Print(aborted)
}
