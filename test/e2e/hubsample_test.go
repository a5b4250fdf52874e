package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// hubItems are real items of the public hub, used unchanged.
var hubItems = []string{
	"parsers/s00-raw/crowdsecurity/syslog-logs.yaml",
	"parsers/s01-parse/crowdsecurity/sshd-logs.yaml",
	"parsers/s01-parse/crowdsecurity/nginx-logs.yaml",
	"parsers/s02-enrich/crowdsecurity/dateparse-enrich.yaml",
	"parsers/s02-enrich/crowdsecurity/http-logs.yaml",
	"scenarios/crowdsecurity/ssh-bf.yaml",
	"scenarios/crowdsecurity/http-probing.yaml",
}

// TestHubSample replays logs of the public hub's own tests through its own items, and compares the alerts
// with those that these tests assert. SHIELDWALL_HUB_SAMPLE names a folder with the hub.
func TestHubSample(t *testing.T) {
	t.Parallel()
	sample := os.Getenv("SHIELDWALL_HUB_SAMPLE")
	if sample == "" {
		t.Skip("needs a copy of the public hub: set SHIELDWALL_HUB_SAMPLE to its folder")
	}
	for _, test := range []struct{ name, log, kind string }{
		{"sshd-invalid-bf", "sshd-invalid-bf.log", "syslog"},
		{"nginx-http-malformed", "nginx_http-logs.log", "nginx"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := newInstance(t, "")
			for _, item := range hubItems {
				in.linkHubItem(sample, item)
			}
			in.useHub(sample)
			in.register()
			folder := filepath.Join(sample, ".tests", test.name)
			replay := in.start("crowdsec", "-c", in.path("config.yaml"),
				"-dsn", "file://"+filepath.Join(folder, test.log), "-type", test.kind)
			<-replay.done
			if code := replay.cmd.ProcessState.ExitCode(); code != 0 {
				t.Fatalf("exit code %d", code)
			}
			in.startEngine("-no-cs")
			var got []string
			for _, alert := range in.alerts() {
				got = append(got, fmt.Sprintf("%s %s %d", alert.Scenario, alert.Source.Value, alert.EventsCount))
			}
			slices.Sort(got)
			want := assertedAlerts(t, filepath.Join(folder, "scenario.assert"))
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// linkHubItem installs an item as cscli does: a link to the file below the hub, without the author's folder.
func (in *instance) linkHubItem(hub, item string) {
	in.t.Helper()
	link := in.path(filepath.Join(filepath.Dir(filepath.Dir(item)), filepath.Base(item)))
	if err := os.MkdirAll(filepath.Dir(link), 0o750); err != nil {
		in.t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(hub, item), link); err != nil {
		in.t.Fatal(err)
	}
}

func (in *instance) useHub(hub string) {
	in.t.Helper()
	in.write("config.yaml.local", fmt.Sprintf("config_paths: {hub_dir: %s}\n", hub))
}

var (
	scenarioLine = regexp.MustCompile(`(?m)^results\[\d+\]\.Overflow\.Alert\.GetScenario\(\) == "(.*)"$`)
	sourceLine   = regexp.MustCompile(`(?m)^"(.*)" in results\[\d+\]\.Overflow\.GetSources\(\)$`)
	countLine    = regexp.MustCompile(`(?m)^results\[\d+\]\.Overflow\.Alert\.GetEventsCount\(\) == (\d+)$`)
)

// assertedAlerts reads what a hub test expects, as "scenario source count".
func assertedAlerts(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	scenarios := scenarioLine.FindAllSubmatch(text, -1)
	sources, counts := sourceLine.FindAllSubmatch(text, -1), countLine.FindAllSubmatch(text, -1)
	if len(scenarios) == 0 || len(sources) != len(scenarios) || len(counts) != len(scenarios) {
		t.Fatalf("%s: %d scenarios, %d sources, %d counts", path, len(scenarios), len(sources), len(counts))
	}
	var alerts []string
	for i := range scenarios {
		alerts = append(alerts, fmt.Sprintf("%s %s %s", scenarios[i][1], sources[i][1], counts[i][1]))
	}
	slices.Sort(alerts)
	return alerts
}
