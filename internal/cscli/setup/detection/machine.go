package detection

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Machine is a picture of a machine.
type Machine struct {
	Host      Host
	Files     fs.FS           // the root of its file system
	Units     map[string]Unit // the services that systemd knows, by name: "ssh.service"
	Processes []string        // the names of the programs that run
}

// Unit is what systemd says of a service: its properties by name.
type Unit map[string]string

// Host is what rules may ask about the machine itself, under the published names.
type Host struct {
	Hostname        string
	OS              string // "linux"
	Platform        string // "debian"
	PlatformFamily  string // "debian", of an Ubuntu as well
	PlatformVersion string // "12.5"
	KernelVersion   string
	KernelArch      string
}

// environment is what the expressions of rules see, under the published names.
type environment struct {
	Host    Host
	Path    files
	Systemd systemd
	System  system
	Version versions
	Windows windows
}

func (m Machine) environment() environment {
	return environment{Host: m.Host, Path: files{m.Files}, Systemd: systemd{m.Units}, System: system{m.Processes}}
}

type files struct{ root fs.FS }

// Exists reports whether there is something at an absolute path.
func (f files) Exists(name string) bool {
	_, err := fs.Stat(f.root, relative(name))
	return err == nil
}

// Glob returns the absolute paths that match a pattern; a wrong pattern matches nothing.
func (f files) Glob(pattern string) []string {
	matches, err := fs.Glob(f.root, relative(pattern))
	if err != nil {
		return nil
	}
	for i := range matches {
		matches[i] = "/" + matches[i]
	}
	return matches
}

// relative is an absolute path as a file system wants it.
func relative(name string) string {
	if name = strings.TrimPrefix(path.Clean("/"+name), "/"); name == "" {
		return "."
	}
	return name
}

type systemd struct{ units map[string]Unit }

// UnitInstalled reports whether systemd knows a service.
func (s systemd) UnitInstalled(name string) bool { return s.unit(name) != nil }

// UnitConfig returns a property of a service, "" where there is none.
func (s systemd) UnitConfig(name, key string) string { return s.unit(name)[key] }

// UnitLogsToJournal reports whether what a service prints goes to the journal.
func (s systemd) UnitLogsToJournal(name string) bool {
	unit := s.unit(name)
	return strings.HasPrefix(unit["StandardOutput"], "journal") || strings.HasPrefix(unit["StandardError"], "journal")
}

func (s systemd) unit(name string) Unit {
	if unit, ok := s.units[name]; ok {
		return unit
	}
	return s.units[name+".service"]
}

type system struct{ processes []string }

// ProcessRunning reports whether a program of that name runs.
func (s system) ProcessRunning(name string) bool { return slices.Contains(s.processes, name) }

type windows struct{}

// ServiceEnabled reports whether Windows starts a service: there is no Windows here.
func (windows) ServiceEnabled(string) bool { return false }
