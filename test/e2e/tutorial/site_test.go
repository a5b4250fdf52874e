package tutorial

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"shieldwall/internal/remediation/backendtest"
)

// outside is a machine that is not ours, on the network that all can be reached from.
const (
	outside        = "outside"
	outsideAddress = "198.51.100.66"
	outsideNetwork = "198.51.100.0/24"
	insideNetwork  = "10.0.0.0/24"
)

// site is some machines, 10.0.0.1 and so on, and one outside, on one switch.
type site struct {
	t     *testing.T
	cable *backendtest.Namespace // with the switch in it
	names []string               // of our machines
	hosts map[string]*host
}

func newSite(t *testing.T, names ...string) *site {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes machines out of namespaces")
	}
	s := &site{t: t, cable: backendtest.NewNamespace(t), names: names, hosts: map[string]*host{}}
	s.cable.Run(t, "ip", "link", "add", "switch", "type", "bridge")
	s.cable.Run(t, "ip", "link", "set", "switch", "up")
	for i, name := range names {
		s.add(newHost(t, name, fmt.Sprintf("10.0.0.%d", i+1)), insideNetwork, outsideNetwork)
	}
	s.add(newHost(t, outside, outsideAddress), outsideNetwork, insideNetwork)
	for _, h := range s.hosts {
		s.name(h)
	}
	t.Cleanup(s.tell)
	return s
}

// add connects a host. Both networks are on the same cable: the switch is the internet, too.
func (s *site) add(h *host, own, other string) {
	s.t.Helper()
	port := fmt.Sprint("port", len(s.hosts))
	s.cable.Run(s.t, "ip", "link", "add", port, "type", "veth", "peer", "name", "eth0",
		"netns", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.network.FD()))
	s.cable.Run(s.t, "ip", "link", "set", port, "master", "switch", "up")
	_, length, _ := strings.Cut(own, "/")
	h.network.Run(s.t, "ip", "address", "add", h.address+"/"+length, "dev", "eth0")
	h.network.Run(s.t, "ip", "link", "set", "eth0", "up")
	h.network.Run(s.t, "ip", "route", "add", other, "dev", "eth0")
	s.hosts[h.name] = h
}

// name tells a host what all the others are called.
func (s *site) name(h *host) {
	s.t.Helper()
	text := "127.0.0.1 localhost\n"
	for _, other := range s.hosts {
		text += other.address + " " + other.name + "\n"
	}
	h.write("/etc/hosts", text, 0o644)
}

// tell shows what the machines have to say when the test has failed.
func (s *site) tell() {
	if !s.t.Failed() {
		return
	}
	for _, name := range s.names {
		h := s.hosts[name]
		seen, _ := h.run("cd /var/log; tail -n 40 crowdsec*.log /run/systemd/journal-* 2>/dev/null", "")
		s.t.Logf("logs of %s:\n%s", name, seen)
	}
}

// start gives every machine what an installation ends with: an identity at its own Local API, and a running service.
func (s *site) start() {
	s.t.Helper()
	for _, name := range s.names {
		h := s.hosts[name]
		h.must("cscli machines add -a --force --error")
		if err := h.systemctl([]string{"start", "crowdsec"}); err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
	}
}

// apt installs packages: those that this computer has.
func (h *host) apt(words []string) error {
	programs := map[string]string{
		"crowdsec": "crowdsec", "crowdsec-firewall-bouncer-nftables": "crowdsec-firewall-bouncer",
		"golang-cfssl": "cfssl", "mariadb-server": "mariadbd",
	}
	for _, name := range words[1:] {
		program, known := programs[name]
		if _, err := h.run("command -v "+program, ""); err != nil || !known {
			return fmt.Errorf("this computer needs the package %s first", name)
		}
		if name == "mariadb-server" {
			if err := h.startMariaDB(); err != nil {
				return err
			}
		}
	}
	return nil
}

// mariadb is a unit for Debian's server and its configuration; the one of the package is for a real systemd.
const mariadb = `
[Service]
ExecStartPre=/usr/local/sbin/mariadb-prepare
ExecStart=mariadbd --user=root --innodb-buffer-pool-size=64M --innodb-log-file-size=32M --performance-schema=OFF \
  --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync
ExecStartPost=/usr/local/sbin/mariadb-await
`

// The programs of the unit: one makes the files of a new server, the other waits until it answers.
const (
	mariadbPrepare = "#!/bin/sh\n[ -d /var/lib/mysql/mysql ] || exec mariadb-install-db --user=root --datadir=/var/lib/mysql --skip-test-db\n"
	mariadbAwait   = "#!/bin/sh\nfor try in $(seq 600); do mariadb-admin --silent ping && exit; sleep 0.1; done; exit 1\n"
)

func (h *host) startMariaDB() error {
	h.write("/usr/lib/systemd/system/mariadb.service", mariadb, 0o644)
	h.write("/usr/local/sbin/mariadb-prepare", mariadbPrepare, 0o755)
	h.write("/usr/local/sbin/mariadb-await", mariadbAwait, 0o755)
	return h.systemctl([]string{"start", "mariadb"})
}

// copy plays scp: files of a host go to another one, "host:path".
func (s *site) copy(from *host, words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("scp: from where to where? %q", words)
	}
	name, target, remote := strings.Cut(words[len(words)-1], ":")
	to := s.hosts[name]
	if !remote || to == nil {
		return fmt.Errorf("scp: %q is on no machine of ours", words[len(words)-1])
	}
	tar, err := from.run("tar -cP --transform 's|.*/||' -- "+strings.Join(words[:len(words)-1], " "), "")
	if err != nil {
		return fmt.Errorf("scp: %s", tar)
	}
	if out, err := to.run("tar -x --no-same-owner -C "+target, tar); err != nil {
		return fmt.Errorf("scp: %s", out)
	}
	return nil
}
