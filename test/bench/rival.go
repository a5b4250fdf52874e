package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// rival is a program that others use on the same logs.
type rival struct {
	name  string
	lines int // of the log that it is given: fewer for a slow one
	argv  func(log string) []string
	input bool // the log is its standard input
}

// rivalsDir keeps programs of packages that are unpacked but not installed.
const rivalsDir = ".tools/rivals"

// goaccess counts what is in an access log. It is installed when it is missing and we may.
func goaccess(ctx context.Context, lines int) (rival, error) {
	program, err := exec.LookPath("goaccess")
	if err != nil {
		if err := apt(ctx, "", "install", "-y", "-qq", "--no-install-recommends", "goaccess"); err != nil {
			return rival{}, fmt.Errorf("goaccess is not there: %w", err)
		}
		program = "goaccess"
	}
	return rival{name: "goaccess", lines: lines, input: true, argv: func(string) []string {
		return []string{program, "-", "--log-format=COMBINED", "--no-progress", "-o", "csv"}
	}}, nil
}

// sshgParser is the part of sshguard that recognises attacks in lines. Its package is unpacked only:
// installed, it would start to guard this machine.
func sshgParser(ctx context.Context, lines int) (rival, error) {
	program, err := unpacked(ctx, "sshguard", "usr/libexec/sshguard/sshg-parser")
	return rival{name: "sshg-parser", lines: lines, input: true, argv: func(string) []string { return []string{program} }}, err
}

// fail2banLines bounds what fail2ban-regex is given, because it is slow.
const fail2banLines = 100_000

// fail2banRegex tries the rules of fail2ban on a log. Its package is unpacked only, for the same reason.
func fail2banRegex(ctx context.Context, lines int) (rival, error) {
	program, err := unpacked(ctx, "fail2ban", "usr/bin/fail2ban-regex")
	if err != nil {
		return rival{}, err
	}
	root := filepath.Dir(filepath.Dir(filepath.Dir(program)))
	return rival{name: "fail2ban-regex", lines: min(lines, fail2banLines), argv: func(log string) []string {
		return []string{
			"/usr/bin/env", "PYTHONPATH=" + filepath.Join(root, "usr/lib/python3/dist-packages"), "/usr/bin/python3", program,
			"-c", filepath.Join(root, "etc/fail2ban"), "--print-no-missed", "--print-no-ignored", log, "sshd",
		}
	}}, nil
}

// unpacked returns the path of a program of a Debian package: where the package is installed, or in the
// folder into which it is unpacked when it is not.
func unpacked(ctx context.Context, name, program string) (string, error) {
	if _, err := os.Stat("/" + program); err == nil {
		return "/" + program, nil
	}
	dir, err := filepath.Abs(rivalsDir)
	if err != nil {
		return "", err
	}
	place := filepath.Join(dir, name, program)
	if _, err := os.Stat(place); err == nil {
		return place, nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	if err := apt(ctx, dir, "download", "-qq", name); err != nil {
		return "", fmt.Errorf("%s is not there: %w", name, err)
	}
	packages, err := filepath.Glob(filepath.Join(dir, name+"_*.deb"))
	if err != nil || len(packages) == 0 {
		return "", errors.Join(err, fmt.Errorf("apt-get download %s left no package", name))
	}
	if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", packages[len(packages)-1], filepath.Join(dir, name)).CombinedOutput(); err != nil { //nolint:gosec // our own list
		return "", fmt.Errorf("unpacking %s: %w: %s", name, err, out)
	}
	return place, nil
}

// apt runs apt-get in a folder. What it says may be that it knows of no packages yet: it is asked again
// after an update.
func apt(ctx context.Context, dir string, args ...string) error {
	run := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "apt-get", args...) //nolint:gosec // our own list
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, out)
		}
		return nil
	}
	err := run(args...)
	if err == nil || os.Geteuid() != 0 {
		return err
	}
	if err := run("update", "-qq"); err != nil {
		return err
	}
	return run(args...)
}
