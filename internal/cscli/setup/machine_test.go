package setup

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPicture(t *testing.T) {
	t.Parallel()
	root := fstest.MapFS{
		"etc/os-release": {Data: []byte("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n")},
		"proc/1/comm":    {Data: []byte("systemd\n")},
		"proc/77/comm":   {Data: []byte("nginx\n")},
		"proc/78/stat":   {},
		"proc/self/comm": {Data: []byte("nobody\n")},
	}
	asked := systemctl(func(_ context.Context, args ...string) ([]byte, error) {
		switch strings.Join(args[:2], " ") {
		case "list-unit-files --type=service":
			return []byte("nginx.service     enabled  enabled\ngetty@.service  enabled enabled\n\nssh.service alias -\n"), nil
		case "show nginx.service":
			return []byte("StandardOutput=journal\nExecStart={ path=/x ; argv[]=/x -a=b }\nEnvironment=\n"), nil
		case "show ssh.service":
			return []byte("User=root\n"), nil
		}
		return nil, errors.New("unexpected: " + strings.Join(args, " "))
	})
	machine, err := takePicture(t.Context(), root, asked)
	if err != nil {
		t.Fatal(err)
	}
	if machine.Host.Platform != "ubuntu" || machine.Host.PlatformFamily != "debian" || machine.Host.OS != "linux" || machine.Host.KernelVersion == "" {
		t.Errorf("host %+v", machine.Host)
	}
	if !slices.Equal(machine.Processes, []string{"systemd", "nginx"}) {
		t.Errorf("processes %q", machine.Processes)
	}
	if len(machine.Units) != 2 || machine.Units["nginx.service"]["StandardOutput"] != "journal" || machine.Units["ssh.service"]["User"] != "root" {
		t.Errorf("units %v", machine.Units)
	}
	if machine, err = takePicture(t.Context(), root, nil); err != nil || machine.Units != nil {
		t.Errorf("without systemd: %v, %v", machine.Units, err)
	}
	if _, err = takePicture(t.Context(), root, func(context.Context, ...string) ([]byte, error) { return nil, errors.New("no bus") }); err == nil {
		t.Error("a failing systemctl goes unseen")
	}
}

func FuzzSystemctl(f *testing.F) {
	f.Add([]byte("a.service enabled\n"), []byte("A=b\nC=d=e\n"))
	f.Fuzz(func(t *testing.T, list, shown []byte) {
		for _, name := range unitNames(list) {
			if !strings.HasSuffix(name, ".service") || strings.ContainsAny(name, " \n") {
				t.Errorf("took %q for a service", name)
			}
		}
		properties(shown)
	})
}
