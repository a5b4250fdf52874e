package wire_test

import (
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	many := func(element string, n int) string { return strings.TrimSuffix(strings.Repeat(element+",", n), ",") }
	targets := func(elements string) string { return `{"targets":[` + elements + `]}` }
	for name, test := range map[string]struct{ body, want string }{
		"as many as allowed":       {targets(many(`"1.1.1.1"`, 500_000)), ""},
		"one too many":             {targets(many(`"1.1.1.1"`, 500_001)), "the arrays of the body have more than 500000 elements"},
		"too many in several":      {`{"x":[` + many(`[1234567890,1234567890]`, 200_000) + `]}`, "more than 500000 elements"},
		"nothing, often":           {`{"x":[` + many(`{}`, 1_000_000) + `]}`, "consist of next to nothing"},
		"nothing, now and then":    {targets(many(`""`, 5000)), ""},
		"commas in texts are none": {targets(`"` + strings.Repeat(`,\"`, 600_000) + `"`), ""},
		"many members":             {`{` + many(`"a":1`, 600_000) + `,"targets":["x"]}`, ""},
		"deep enough":              {`{"targets":["x"],"y":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, ""},
		"too deep":                 {`{"targets":["x"],"y":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, "nested more than 64 levels deep"},
		"endlessly deep":           {strings.Repeat(`{"a":`, 1<<20), "nested more than 64 levels deep"},
		"deep in an ignored field": {`[{"y":` + strings.Repeat(`[{"a":`, 5000), "nested more than 64 levels deep"},
	} {
		_, err := wire.DecodeBulkAllowlistCheck(strings.NewReader(test.body))
		if test.want == "" && err != nil || test.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}
