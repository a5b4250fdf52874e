package expression_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/expression"
)

// variables is what the expressions of these tests see.
type variables struct {
	Text   string            `expr:"text"`
	Other  string            `expr:"other"`
	Value  any               `expr:"value"`
	Into   map[string]any    `expr:"into"`
	Labels map[string]string `expr:"labels"`
	List   []string          `expr:"list"`
	Times  []time.Time       `expr:"times"`
	Thing  *thing            `expr:"thing"`
}

type thing struct {
	Name string
}

// Burst panics, as a helper with a mistake would.
func (t *thing) Burst() bool { panic("burst") }

// row is one expression with what it yields or the text that its error holds.
type row struct {
	expr string
	want any
	err  string
}

func run(t *testing.T, lib *expression.Library, rows []row, vars variables) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.expr, func(t *testing.T) {
			got, err := eval(t, lib, r.expr, vars)
			switch {
			case r.err == "" && err != nil:
				t.Fatalf("error %v", err)
			case r.err != "" && (err == nil || !strings.Contains(err.Error(), r.err)):
				t.Fatalf("yields %#v, error %v, want error with %q", got, err, r.err)
			case r.err == "" && !reflect.DeepEqual(got, r.want):
				t.Fatalf("yields %#v, want %#v", got, r.want)
			}
		})
	}
}

func eval(t *testing.T, lib *expression.Library, text string, vars variables) (any, error) {
	t.Helper()
	program, err := lib.CompileAny(text, variables{})
	if err != nil {
		t.Fatalf("compiling %s: %v", text, err)
	}
	return program.Eval(vars)
}

func bare() *expression.Library { return expression.New(expression.Deps{}) }
