package decisions

import (
	"slices"
	"testing"
)

func TestParseRows(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		format, text string
		want         []row
		err          string
	}{
		"values":             {formatValues, " 1.2.3.4 \r\n\n5.6.7.8", []row{{Value: "1.2.3.4"}, {Value: "5.6.7.8"}}, ""},
		"no values":          {formatValues, "\n\n", nil, ""},
		"csv":                {formatCSV, "value,scope,other,duration\n1.2.3.4, Range ,x,1h\n5.6.7.8\n", []row{{Value: "1.2.3.4", Scope: "Range", Duration: "1h"}, {Value: "5.6.7.8"}}, ""},
		"csv, only a header": {formatCSV, "value\n", nil, ""},
		"empty csv":          {formatCSV, "", nil, ""},
		"broken csv":         {formatCSV, "value\n\"1", nil, `unable to parse csv: parse error on line 2, column 3: extraneous or missing " in quoted-field`},
		"json":               {formatJSON, `[{"value":"1.2.3.4","type":"captcha","reason":"r","x":1}]`, []row{{Value: "1.2.3.4", Type: "captcha", Reason: "r"}}, ""},
		"empty json":         {formatJSON, " ", nil, ""},
		"json object":        {formatJSON, `{"value":"1.2.3.4"}`, nil, "json: cannot unmarshal object into Go value of type []clidecision.decisionRaw"},
		"json text":          {formatJSON, `"x"`, nil, "json: cannot unmarshal string into Go value of type []clidecision.decisionRaw"},
		"no json":            {formatJSON, `x`, nil, "invalid character 'x' looking for beginning of value"},
	} {
		rows, err := parseRows(test.format, []byte(test.text))
		if (err == nil) != (test.err == "") || err != nil && err.Error() != test.err || err == nil && !slices.Equal(rows, test.want) {
			t.Errorf("%s: got %v, %v\nwant %v, %s", name, rows, err, test.want, test.err)
		}
	}
}

func FuzzParseRows(f *testing.F) {
	for _, format := range []string{formatCSV, formatJSON, formatValues} {
		f.Add(format, []byte("value,type\n1.2.3.4,ban\n"))
		f.Add(format, []byte(`[{"value":"1.2.3.4"}]`))
	}
	f.Fuzz(func(t *testing.T, format string, text []byte) {
		rows, err := parseRows(format, text)
		if err != nil && format == formatValues {
			t.Errorf("values cannot be wrong: %v", err)
		}
		if len(rows) > len(text) {
			t.Errorf("%d rows from %d bytes", len(rows), len(text))
		}
	})
}
