package detection_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"shieldwall/content"
	"shieldwall/internal/cscli/setup/detection"
	"shieldwall/internal/hub"
	"shieldwall/internal/logprocessor/acquisition/all"
)

// shipped are the rules that come along.
func shipped(t *testing.T) *detection.Rules {
	t.Helper()
	rules, err := detection.ParseRules("detect.yaml", content.ServiceRules())
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// Everything that our rules may find can be installed: the items exist, the files of acquisition are valid.
func TestOurRulesCanBeCarriedOut(t *testing.T) {
	t.Parallel()
	rules := shipped(t)
	setup, err := rules.Detect(detection.Machine{Files: fstest.MapFS{}}, detection.Wishes{Force: rules.Names()})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(setup.Names(), rules.Names()) || len(rules.Names()) < 20 {
		t.Errorf("found %v", setup.Names())
	}
	if err := setup.Validate(all.Registry()); err != nil {
		t.Error(err)
	}
	catalog, err := hub.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range setup.Services {
		for kind, names := range service.Hub {
			for _, name := range names {
				if _, ok := catalog.Find(hub.Kind(kind), name); !ok {
					t.Errorf("%s needs %s:%s, which nobody has", service.Name, kind, name)
				}
			}
		}
	}
}

func TestDetection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		machine detection.Machine
		wishes  detection.Wishes
		want    []string
	}{
		"nothing":     {detection.Machine{}, detection.Wishes{}, nil},
		"a container": {detection.Machine{Host: detection.Host{OS: "linux"}}, detection.Wishes{}, []string{"linux"}},
		"a log": {
			detection.Machine{Files: fstest.MapFS{"var/log/nginx/site.access.log": {}}}, detection.Wishes{}, []string{"nginx"},
		},
		"a unit": {
			detection.Machine{Units: map[string]detection.Unit{"apache2.service": {}}}, detection.Wishes{}, []string{"apache2"},
		},
		"a process": {detection.Machine{Processes: []string{"haproxy"}}, detection.Wishes{}, []string{"haproxy"}},
		"Debian, where the syslog has all mails": {
			detection.Machine{Processes: []string{"dovecot"}, Files: fstest.MapFS{"var/log/syslog": {}, "var/log/mail.log": {}, "var/log/auth.log": {}}},
			detection.Wishes{},
			[]string{"dovecot", "sshd", "system-log"},
		},
		"Red Hat, where it has not": {
			detection.Machine{Processes: []string{"dovecot"}, Files: fstest.MapFS{"var/log/messages": {}, "var/log/maillog": {}, "var/log/secure": {}}},
			detection.Wishes{},
			[]string{"dovecot", "mail-log", "sshd", "system-messages"},
		},
		"wishes": {
			detection.Machine{Processes: []string{"haproxy", "nginx"}},
			detection.Wishes{Ignore: []string{"nginx"}, Force: []string{"samba"}},
			[]string{"haproxy", "samba"},
		},
	} {
		if c.machine.Files == nil {
			c.machine.Files = fstest.MapFS{}
		}
		setup, err := shipped(t).Detect(c.machine, c.wishes)
		if err != nil || !slices.Equal(setup.Names(), c.want) {
			t.Errorf("%s: found %v, %v; want %v", name, setup.Names(), err, c.want)
		}
	}
	_, err := shipped(t).Detect(detection.Machine{Files: fstest.MapFS{}}, detection.Wishes{Force: []string{"a", "nginx", "b"}})
	if want := "could not find the following services: [a b], please check the service detection rules"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// Each expression stands for what it says about this machine.
func TestExpressions(t *testing.T) {
	t.Parallel()
	machine := detection.Machine{
		Host:      detection.Host{OS: "linux", Platform: "ubuntu", PlatformFamily: "debian", PlatformVersion: "24.04"},
		Files:     fstest.MapFS{"etc/a.conf": {}, "etc/b.conf": {}, "srv": {Mode: 0o755 | 1<<31}},
		Units:     map[string]detection.Unit{"a.service": {"StandardOutput": "journal+console", "User": "www"}, "b.service": {"StandardOutput": "null"}},
		Processes: []string{"nginx"},
	}
	for expression, want := range map[string]bool{
		"Host.OS == 'linux' and Host.PlatformFamily == 'debian'":                                               true,
		"Version.Check(Host.PlatformVersion, '>=22.04, <25')":                                                  true,
		"Version.Check('v1.2.3', '~1.2') && Version.Check('1.9', '^1.2') && !Version.Check('2.0', '^1.2')":     true,
		"Version.Check('1.2.3', '=1.2') && !Version.Check('1.2.3', '!=1.2.3') && Version.Check('3', '<2||>2')": true,
		"Version.Check('2.0-beta1', '<=2.0')":                                                                  true,
		"Path.Exists('/etc/a.conf')":                                                                           true,
		"Path.Exists('/srv/')":                                                                                 true,
		"Path.Exists('/')":                                                                                     true,
		"Path.Exists('/../etc/c.conf')":                                                                        false,
		"Path.Glob('/etc/*.conf') == ['/etc/a.conf', '/etc/b.conf']":                                           true,
		"len(Path.Glob('[')) == 0":                                                                             true,
		"Systemd.UnitInstalled('a.service')":                                                                   true,
		"Systemd.UnitInstalled('a')":                                                                           true,
		"Systemd.UnitInstalled('c.service')":                                                                   false,
		"Systemd.UnitConfig('a.service', 'User') == 'www'":                                                     true,
		"Systemd.UnitConfig('c.service', 'User') == ''":                                                        true,
		"Systemd.UnitLogsToJournal('a.service')":                                                               true,
		"Systemd.UnitLogsToJournal('b.service')":                                                               false,
		"System.ProcessRunning('nginx')":                                                                       true,
		"System.ProcessRunning('ngin')":                                                                        false,
		"Windows.ServiceEnabled('W3SVC')":                                                                      false,
	} {
		rules, err := detection.ParseRules("x", []byte("detect: {s: {when: [\""+expression+"\"]}}"))
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		setup, err := rules.Detect(machine, detection.Wishes{})
		if err != nil || (len(setup.Services) == 1) != want {
			t.Errorf("%s: found %v, %v", expression, setup.Names(), err)
		}
	}
}

func TestWrongRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"detect: {s: {whne: []}}":       "field whne not found",
		"detect: {s: {when: [\"1\"]}}":  `service s: condition "1": expected bool`,
		"detect: {s: {when: [\"x(\"]}}": `service s: condition "x("`,
		"detect: []":                    "cannot unmarshal",
	} {
		if _, err := detection.ParseRules("d.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "d.yaml: ") {
			t.Errorf("%s: got %v", text, err)
		}
	}
	rules, err := detection.ParseRules("d.yaml", []byte("detect: {s: {when: [\"false\", \"Version.Check('x', '1')\"]}}"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rules.Detect(detection.Machine{}, detection.Wishes{}); err == nil || !strings.Contains(err.Error(), `"x" is not a version`) {
		t.Errorf("a mistake after what does not hold: got %v", err)
	}
}

func TestInvalidSetups(t *testing.T) {
	t.Parallel()
	const good = "filename: a.yaml, datasource: {source: file, filename: /x, labels: {type: t}}"
	for spec, want := range map[string]string{
		good:                         "",
		"datasource: {source: file}": "invalid acquisition spec (1): a filename for the datasource configuration is required",
		"filename: a/b, datasource: {source: file}":                                     `invalid acquisition spec (1): acquisition filename must not contain slashes (/) or backslashes (\)`,
		"filename: a, datasource: {}":                                                   "invalid acquisition spec (1): source field is required",
		"filename: a, datasource: {source: pigeon}":                                     "unknown data source pigeon",
		"filename: a, datasource: {source: file, flie: x}":                              "flie",
		"filename: a.yaml, datasource: {source: file, filename: /y, labels: {type: t}}": "filename a.yaml is used for something else already",
	} {
		setup, err := detection.Parse("s", []byte("setup: [{detected_service: a, acquisition_spec: {"+good+"}}, {detected_service: b, acquisition_spec: {"+spec+"}}]"))
		if err == nil {
			err = setup.Validate(all.Registry())
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v", spec, err)
		}
	}
}

// What was written is known again, what was changed afterwards as well, and the two forms of a setup say the same.
func TestWrittenFilesAreKnownAgain(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-z]{1,8}`)
	rapid.Check(t, func(t *rapid.T) {
		setup := detection.Setup{Services: []detection.Service{{
			Name: word.Draw(t, "name"),
			Hub:  detection.HubSpec{"collections": {word.Draw(t, "item")}},
			Acquisition: &detection.AcquisitionSpec{
				Filename:   word.Draw(t, "filename"),
				Datasource: map[string]any{"source": "file", "filename": "/" + word.Draw(t, "log"), "labels": map[string]any{"type": word.Draw(t, "type")}},
			},
		}}}
		files, err := setup.Files()
		if err != nil || len(files) != 1 || detection.OriginOf(files[0].Text) != detection.Generated || detection.IsEmpty(files[0].Text) {
			t.Fatalf("wrote %+v, %v", files, err)
		}
		if altered := append(slices.Clone(files[0].Text), "x: y\n"...); detection.OriginOf(altered) != detection.Altered {
			t.Fatalf("took for ours: %s", altered)
		}
		_, body, _ := strings.Cut(string(files[0].Text), "\n\n")
		if detection.OriginOf([]byte(body)) != detection.Foreign {
			t.Fatalf("took for written by a setup: %s", body)
		}
		for _, encode := range []func() ([]byte, error){setup.JSON, setup.YAML} {
			text, err := encode()
			if err != nil {
				t.Fatal(err)
			}
			again, err := detection.Parse("again", text)
			if err != nil || again.Services[0].Acquisition.Datasource["filename"] != setup.Services[0].Acquisition.Datasource["filename"] {
				t.Fatalf("%s is read as %+v, %v", text, again, err)
			}
		}
	})
}

func FuzzSetup(f *testing.F) {
	f.Add([]byte(`{"setup": [{"detected_service": "a", "hub_spec": {"collections": ["x/y"]}, "acquisition_spec": {"filename": "a", "datasource": {"source": "file"}}}]}`))
	f.Add([]byte("setup:\n- detected_service: a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		setup, err := detection.Parse("s", text)
		if err != nil || setup.Validate(all.Registry()) != nil {
			return
		}
		files, err := setup.Files()
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.ContainsAny(file.Name, `/\`) || detection.OriginOf(file.Text) != detection.Generated {
				t.Errorf("%q becomes %+v", text, file)
			}
		}
	})
}

func FuzzRules(f *testing.F) {
	f.Add([]byte("detect: {a: {when: [\"Path.Exists('/x')\"], hub_spec: {collections: [x/y]}}}"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		rules, err := detection.ParseRules("r", text)
		if err == nil {
			_, _ = rules.Detect(detection.Machine{Files: fstest.MapFS{}}, detection.Wishes{})
		}
	})
}
