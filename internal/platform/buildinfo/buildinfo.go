// Package buildinfo says which build of the programs is running.
//
// It owns the version, the User-Agent that is derived from it, and the text of `version`. The release
// process sets the values with -ldflags "-X shieldwall/internal/platform/buildinfo.version=v1.2.3"; without
// it they come from what the Go toolchain records.
package buildinfo

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// Set by the linker, constant from then on.
var (
	version   string
	codename  string
	buildDate string
	system    string // "linux", or "docker" in the image
)

// Info describes one build.
type Info struct {
	Version   string // begins with "v", has no "/"
	Codename  string
	BuildDate string // as the release process writes it, or the RFC 3339 time of the commit
	GoVersion string // without the leading "go"
	System    string
}

// Read returns the description of the running program.
func Read() Info {
	info := Info{
		Version:   version,
		Codename:  codename,
		BuildDate: buildDate,
		GoVersion: strings.TrimPrefix(runtime.Version(), "go"),
		System:    system,
	}
	if recorded, ok := debug.ReadBuildInfo(); ok {
		return complete(info, recorded)
	}
	return complete(info, &debug.BuildInfo{})
}

// UserAgent returns what the log processor and cscli call themselves: exactly "name/version", the only form
// that a Local API accepts at login.
func (i Info) UserAgent() string { return "crowdsec/" + i.Version + "-" + i.System }

// Text returns the block that `cscli version` and `crowdsec -version` print. Components are the optional
// parts that the binary contains.
func (i Info) Text(components []string) string {
	lines := [][2]string{
		{"version", i.Version},
		{"Codename", i.Codename},
		{"BuildDate", i.BuildDate},
		{"GoVersion", i.GoVersion},
		{"Platform", i.System},
		{"libre2", "none"},
		{"User-Agent", i.UserAgent()},
		{"Constraint_parser", ">= 1.0, <= 3.0"},
		{"Constraint_scenario", ">= 1.0, <= 3.0"},
		{"Constraint_api", "v1"},
		{"Constraint_acquis", ">= 1.0, < 2.0"},
		{"Built-in optional components", strings.Join(components, ", ")},
	}
	var text strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&text, "%s: %s\n", line[0], line[1])
	}
	return text.String()
}

// complete fills what the linker did not set.
func complete(info Info, recorded *debug.BuildInfo) Info {
	settings := map[string]string{}
	for _, setting := range recorded.Settings {
		settings[setting.Key] = setting.Value
	}
	if info.Version == "" {
		info.Version = recordedVersion(recorded.Main.Version, settings["vcs.revision"])
	}
	if !strings.HasPrefix(info.Version, "v") {
		info.Version = "v" + info.Version
	}
	if info.Codename == "" {
		info.Codename = "shieldwall"
	}
	if info.BuildDate == "" {
		info.BuildDate = settings["vcs.time"]
	}
	if info.System == "" {
		info.System = runtime.GOOS
	}
	return info
}

const shortRevision = 12

func recordedVersion(module, revision string) string {
	switch {
	case strings.HasPrefix(module, "v"):
		return module
	case len(revision) >= shortRevision:
		return "v0.0.0-" + revision[:shortRevision]
	}
	return "v0.0.0"
}
