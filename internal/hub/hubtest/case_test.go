package hubtest

import (
	"testing"

	"shieldwall/internal/platform/yamlfile"
)

// FuzzCase reads what others wrote as a test case: the configuration, of which some is written again for the engine, and
// the items, for the data files that they name.
func FuzzCase(f *testing.F) {
	f.Add("parsers: [./parsers/s00-raw/p.yaml]\nlog_file: l.log\nlog_type: t\noverride_statics: [{target: a, value: &v b}, {meta: *v}]\n", "data: [{dest_file: d.txt, type: string}]\n")
	f.Add("scenarios: ['../../x', '', ./s]\nlabels: {a: b}\noverride_statics: [1, [a], {}]\n", "data:\n- source_url: x\n  dest_file: ../../d\n---\ndata: 1\n")
	f.Fuzz(func(t *testing.T, config, item string) {
		for _, file := range dataFiles([]byte(item)) {
			if file.name == "" {
				t.Error("a data file without a name")
			}
		}
		var read Config
		if err := yamlfile.DecodeLenient("config.yaml", []byte(config), &read); err != nil {
			return
		}
		if _, err := overrides(read.OverrideStatics); err != nil {
			t.Log(err)
		}
	})
}
