package setup

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"shieldwall/internal/cscli/setup/detection"
	"shieldwall/internal/platform/osrelease"
)

// takePicture looks at this machine, whose file system is root. Units stay unknown when list is nil.
func takePicture(ctx context.Context, root fs.FS, list systemctl) (detection.Machine, error) {
	machine := detection.Machine{Host: host(root), Files: root, Processes: processes(root)}
	if list == nil {
		return machine, nil
	}
	var err error
	machine.Units, err = units(ctx, list)
	return machine, err
}

func host(root fs.FS) detection.Host {
	h := detection.Host{OS: runtime.GOOS}
	if release, err := osrelease.Read(root); err == nil { // an image without the file is a machine nevertheless
		h.Platform, h.PlatformFamily, h.PlatformVersion = release.Name, release.Family, release.Version
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		h.Hostname = unix.ByteSliceToString(name.Nodename[:])
		h.KernelVersion = unix.ByteSliceToString(name.Release[:])
		h.KernelArch = unix.ByteSliceToString(name.Machine[:])
	}
	return h
}

// processes returns the names of the programs that run. One that ends meanwhile has none.
func processes(root fs.FS) (names []string) {
	entries, err := fs.ReadDir(root, "proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		if name, err := fs.ReadFile(root, path.Join("proc", entry.Name(), "comm")); err == nil {
			names = append(names, strings.TrimSpace(string(name)))
		}
	}
	return names
}

// systemctl runs that program and returns what it prints.
type systemctl func(ctx context.Context, args ...string) ([]byte, error)

func runSystemctl(ctx context.Context, args ...string) ([]byte, error) {
	text, err := exec.CommandContext(ctx, "systemctl", args...).Output() //nolint:gosec // our own arguments
	if err != nil {
		return nil, fmt.Errorf("running systemctl: %w", err)
	}
	return text, nil
}

// units asks for the properties of every service that is installed.
func units(ctx context.Context, list systemctl) (map[string]detection.Unit, error) {
	text, err := list(ctx, "list-unit-files", "--type=service", "--no-legend", "--no-pager")
	if err != nil {
		return nil, err
	}
	known := map[string]detection.Unit{}
	for _, name := range unitNames(text) {
		shown, err := list(ctx, "show", name, "--all", "--no-pager")
		if err != nil {
			return nil, err
		}
		known[name] = properties(shown)
	}
	return known, nil
}

// unitNames returns the services of a list of unit files. Templates are none.
func unitNames(text []byte) (names []string) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, _, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if strings.HasSuffix(name, ".service") && !strings.Contains(name, "@.") {
			names = append(names, name)
		}
	}
	return names
}

// properties returns what `systemctl show` says. A value that goes on in further lines is cut.
func properties(text []byte) detection.Unit {
	unit := detection.Unit{}
	for line := range bytes.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimRight(string(line), "\n"), "="); ok && !strings.ContainsAny(key, " \t") {
			unit[key] = value
		}
	}
	return unit
}
