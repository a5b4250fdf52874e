package e2e

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// installation is what make install put below a folder.
type installation struct {
	t    *testing.T
	root string
}

func newInstallation(t *testing.T) installation {
	t.Helper()
	i := installation{t, t.TempDir()}
	i.make("install")
	return i
}

func (i installation) make(target string, variables ...string) {
	i.t.Helper()
	args := append([]string{"-C", "../..", "--no-print-directory", target, "BIN=" + programs, "DESTDIR=" + i.root}, variables...)
	out, err := exec.CommandContext(i.t.Context(), "make", args...).CombinedOutput()
	if err != nil {
		i.t.Fatalf("make %s: %v\n%s", target, err, out)
	}
}

// run runs an installed program with the folder as the root of its file system.
func (i installation) run(name string, args ...string) string {
	i.t.Helper()
	cmd := exec.CommandContext(i.t.Context(), name, args...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root}
	if os.Geteuid() != 0 { // who may not change the root may be one in a user namespace, and then may
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		i.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (i installation) path(absolute string) string { return filepath.Join(i.root, absolute) }

func (i installation) read(absolute string) string {
	i.t.Helper()
	text, err := os.ReadFile(i.path(absolute))
	if err != nil {
		i.t.Fatal(err)
	}
	return string(text)
}

func (i installation) write(absolute, text string) {
	i.t.Helper()
	if err := os.WriteFile(i.path(absolute), []byte(text), 0o600); err != nil {
		i.t.Fatal(err)
	}
}

func (i installation) expectModes(modes map[string]fs.FileMode) {
	i.t.Helper()
	for path, want := range modes {
		info, err := os.Lstat(i.path(path))
		if err != nil {
			i.t.Error(err)
			continue
		}
		if info.Mode() != want {
			i.t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
	}
}

// TestInstall installs into a folder, does there what a new machine does first, and checks that all of it works.
func TestInstall(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	const units = "/usr/lib/systemd/system/"
	i.expectModes(map[string]fs.FileMode{
		"/usr/bin/crowdsec":                                     0o755,
		"/usr/bin/cscli":                                        0o755,
		"/usr/bin/crowdsec-firewall-bouncer":                    0o755,
		"/usr/sbin/crowdsec-firewall-bouncer":                   0o777 | fs.ModeSymlink,
		"/etc/crowdsec/config.yaml":                             0o600,
		"/etc/crowdsec/profiles.yaml":                           0o644,
		"/etc/crowdsec/simulation.yaml":                         0o644,
		"/etc/crowdsec/console.yaml":                            0o644,
		"/etc/crowdsec/acquis.yaml":                             0o644,
		"/etc/crowdsec/acquis.d":                                0o755 | fs.ModeDir,
		"/etc/crowdsec/notifications":                           0o755 | fs.ModeDir,
		"/etc/crowdsec/hub/.index.json":                         0o644,
		"/etc/crowdsec/parsers/s01-parse/sshd-logs.yaml":        0o777 | fs.ModeSymlink,
		"/etc/crowdsec/scenarios/ssh-bf.yaml":                   0o777 | fs.ModeSymlink,
		"/etc/crowdsec/collections/linux.yaml":                  0o777 | fs.ModeSymlink,
		"/etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml": 0o600,
		"/var/lib/crowdsec/data":                                0o750 | fs.ModeDir,
		"/var/lib/crowdsec/data/shieldwall_sensitive_files.txt": 0o644,
		"/var/lib/crowdsec-firewall-bouncer":                    0o700 | fs.ModeDir,
		units + "crowdsec.service":                              0o644,
		units + "crowdsec-firewall-bouncer.service":             0o644,
		"/usr/libexec/crowdsec/hubupdate.sh":                    0o755,
		units + "crowdsec-hubupdate.service":                    0o644,
		units + "crowdsec-hubupdate.timer":                      0o644,
		"/usr/share/doc/shieldwall/manual/install.md":           0o644,
	})

	// Nobody is registered while a package is built; the machine itself does it.
	i.run("/usr/bin/cscli", "machines", "add", "-a", "--force", "--error")
	i.expectModes(map[string]fs.FileMode{"/etc/crowdsec/local_api_credentials.yaml": 0o600})
	key := i.run("/usr/bin/cscli", "-oraw", "bouncers", "add", "firewall")
	i.write("/etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml.local", "api_key: "+key+"\nmode: dry-run\n")

	for _, unit := range []string{"crowdsec.service", "crowdsec-firewall-bouncer.service"} {
		line := execStartPre(t, i.read(units+unit))
		i.run(line[0], line[1:]...)
	}
	i.verifyUnits(units)
}

// execStartPre returns the command that a unit runs before its service.
func execStartPre(t *testing.T, unit string) []string {
	t.Helper()
	for line := range strings.Lines(unit) {
		if command, ok := strings.CutPrefix(line, "ExecStartPre="); ok {
			return strings.Fields(command)
		}
	}
	t.Fatalf("no ExecStartPre in\n%s", unit)
	return nil
}

// verifyUnits asks systemd whether it understands our units. It wants to find the units and programs they name.
func (i installation) verifyUnits(folder string) {
	i.t.Helper()
	targets, err := filepath.Glob("/usr/lib/systemd/system/*.target")
	if err != nil || len(targets) == 0 {
		i.t.Fatalf("no units of systemd on this machine: %v", err)
	}
	for _, source := range targets {
		i.copy(source, folder)
	}
	if err := os.Symlink("usr/bin", i.path("/bin")); err != nil {
		i.t.Fatal(err)
	}
	i.copy("/bin/kill", "/usr/bin")
	for _, unit := range []string{"crowdsec.service", "crowdsec-firewall-bouncer.service", "crowdsec-hubupdate.service", "crowdsec-hubupdate.timer"} {
		verify := exec.CommandContext(i.t.Context(), "systemd-analyze", "verify", "--man=no", "--root="+i.root, unit)
		if out, err := verify.CombinedOutput(); err != nil || len(out) > 0 {
			i.t.Errorf("systemd-analyze verify %s: %v\n%s", unit, err, out)
		}
	}
	for _, unit := range []string{"crowdsec.service", "crowdsec-firewall-bouncer.service"} {
		// Of 100; an unprotected service has 96.
		security := exec.CommandContext(i.t.Context(), "systemd-analyze", "security", "--offline=yes", "--threshold=30", "--root="+i.root, unit)
		if out, err := security.CombinedOutput(); err != nil {
			i.t.Errorf("systemd-analyze security %s: %v\n%s", unit, err, out)
		}
	}
}

func (i installation) copy(source, folder string) {
	i.t.Helper()
	install := exec.CommandContext(i.t.Context(), "cp", "--dereference", "--preserve=mode", source, i.path(folder))
	if out, err := install.CombinedOutput(); err != nil {
		i.t.Fatalf("copying %s: %v: %s", source, err, out)
	}
}

// TestInstallAgain: what an administrator has changed or taken away stays so, and programs are replaced.
func TestInstallAgain(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	edited := []string{
		"/etc/crowdsec/config.yaml", "/etc/crowdsec/profiles.yaml", "/etc/crowdsec/acquis.yaml",
		"/etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml", "/etc/crowdsec/hub/scenarios/shieldwall/ssh-bf.yaml",
	}
	for _, path := range edited {
		i.write(path, "edited\n")
	}
	const removed = "/etc/crowdsec/scenarios/ssh-bf.yaml"
	if err := os.Remove(i.path(removed)); err != nil {
		t.Fatal(err)
	}
	i.write("/usr/bin/cscli", "an older one")
	i.make("install")
	for _, path := range edited {
		if text := i.read(path); text != "edited\n" {
			t.Errorf("%s was replaced by\n%s", path, text)
		}
	}
	if _, err := os.Lstat(i.path(removed)); err == nil {
		t.Errorf("%s was removed and is back", removed)
	}
	i.run("/usr/bin/cscli", "version")
}

// TestInstallElsewhere: with another prefix the units name the programs there, and lie where an administrator's do.
func TestInstallElsewhere(t *testing.T) {
	t.Parallel()
	i := installation{t, t.TempDir()}
	i.make("install", "PREFIX=/usr/local")
	for _, unit := range []string{"crowdsec.service", "crowdsec-firewall-bouncer.service"} {
		text := i.read("/etc/systemd/system/" + unit)
		if strings.Contains(text, "/usr/bin/crowdsec") || !strings.Contains(text, "ExecStart=/usr/local/bin/crowdsec") {
			t.Errorf("%s:\n%s", unit, text)
		}
	}
	if script := i.read("/usr/local/libexec/crowdsec/hubupdate.sh"); !strings.Contains(script, "cscli=/usr/local/bin/cscli\n") {
		t.Errorf("hubupdate.sh:\n%s", script)
	}
	i.run("/usr/local/bin/cscli", "version")
}

// TestUninstall: programs and units go, what was configured and remembered stays.
func TestUninstall(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	i.make("uninstall")
	var left []string
	err := filepath.WalkDir(i.path("/usr"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			left = append(left, path)
		}
		return err
	})
	if err != nil || len(left) > 0 {
		t.Error("left behind:", left, err)
	}
	i.expectModes(map[string]fs.FileMode{"/etc/crowdsec/config.yaml": 0o600, "/etc/crowdsec/scenarios/ssh-bf.yaml": 0o777 | fs.ModeSymlink})
}

// installOnMachine puts a layer over the folders of this machine that only it sees, and installs there, twice.
const installOnMachine = `
set -euo pipefail
mount -t tmpfs tmpfs "$1"
for folder in usr etc var; do
	mkdir -p "$1/$folder/upper" "$1/$folder/work"
	mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$1/$folder/upper,workdir=$1/$folder/work" "/$folder"
done
rm -rf /etc/crowdsec /var/lib/crowdsec
make --no-print-directory -C ../.. install BIN="$2" >/dev/null
key=/etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml
cp $key "$1/key"
make --no-print-directory -C ../.. install BIN="$2"
cmp $key "$1/key"
stat -c 'mode %a' $key /etc/crowdsec/local_api_credentials.yaml
cscli -oraw machines list
cscli -oraw bouncers list
crowdsec -t -error
`

// TestInstallOnMachine: without DESTDIR, log processor and firewall component know the Local API of the machine when all
// is done, and a second time changes nothing.
func TestInstallOnMachine(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	install := exec.CommandContext(t.Context(), "unshare", "--mount", "bash", "-c", installOnMachine, "install", t.TempDir(), programs)
	out, err := install.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for pattern, want := range map[string]int{
		`(?m)^mode 600$`: 2, `(?m)^\w+,.*,password,`: 1, `(?m)^cs-firewall-bouncer-\d+,.*,api-key`: 1, `systemctl enable --now`: 1,
	} {
		if found := len(regexp.MustCompile(pattern).FindAll(out, -1)); found != want {
			t.Errorf("%s is there %d times, want %d:\n%s", pattern, found, want, out)
		}
	}
}
