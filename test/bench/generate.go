package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// population is a set of addresses of which a few are much busier than the rest.
type population struct {
	random *rand.Rand
	size   int
	prefix string
}

func (p population) pick() string {
	x := p.random.Float64()
	i := int(float64(p.size) * x * x * x)
	return fmt.Sprintf("%s.%d.%d.%d", p.prefix, 1+i>>14, i>>7&127+1, i&127+1)
}

// generate writes a log with fifty lines a second. The same seed gives the same log.
func generate(path string, lines int, line func(at time.Time, random *rand.Rand) string) (err error) {
	file, err := os.Create(path) //nolint:gosec // below our own folder
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // it has to be repeatable, not secret
	out := bufio.NewWriter(file)
	at := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	for i := range lines {
		if _, err := fmt.Fprintln(out, line(at.Add(time.Duration(i/50)*time.Second), random)); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return file.Close()
}

// generateSSHD writes what sshd and its neighbours say; a third are failed logins.
func generateSSHD(path string, lines int) error {
	users := []string{"root", "admin", "test", "oracle", "ubuntu", "git", "postgres", "deploy"}
	return generate(path, lines, func(at time.Time, random *rand.Rand) string {
		hostile, friendly := population{random, 400, "45"}, population{random, 20000, "81"}
		head := fmt.Sprintf("%s web%d ", at.Format(time.Stamp), 1+random.IntN(4))
		pid, port, user := 1000+random.IntN(50000), 1024+random.IntN(60000), users[random.IntN(len(users))]
		switch x := random.Float64(); {
		case x < 0.15:
			return head + fmt.Sprintf("sshd[%d]: Failed password for invalid user %s from %s port %d ssh2", pid, user, hostile.pick(), port)
		case x < 0.25:
			return head + fmt.Sprintf("sshd[%d]: Invalid user %s from %s port %d", pid, user, hostile.pick(), port)
		case x < 0.30:
			return head + fmt.Sprintf("sshd[%d]: Failed password for root from %s port %d ssh2", pid, hostile.pick(), port)
		case x < 0.50:
			return head + fmt.Sprintf("sshd[%d]: Accepted publickey for deploy from %s port %d ssh2: ED25519 SHA256:%x", pid, friendly.pick(), port, random.Uint64())
		case x < 0.65:
			return head + fmt.Sprintf("sshd[%d]: Disconnected from user deploy %s port %d", pid, friendly.pick(), port)
		case x < 0.85:
			return head + fmt.Sprintf("CRON[%d]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", pid)
		default:
			return head + fmt.Sprintf("systemd[1]: Started Session %d of User deploy.", pid)
		}
	})
}

// generateNginx writes ordinary browsing with one request in a hundred from a scanner.
func generateNginx(path string, lines int) error {
	probes := []string{"/wp-login.php", "/.env", "/.git/config", "/../../etc/passwd", "/backup.sql", "/id?x=1%27%20OR%201=1--"}
	const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
	return generate(path, lines, func(at time.Time, random *rand.Rand) string {
		date := at.Format("02/Jan/2006:15:04:05 -0700")
		if random.Float64() < 0.01 {
			hostile := population{random, 400, "45"}
			return fmt.Sprintf(`%s - - [%s] "GET %s HTTP/1.1" 404 %d "-" "Nikto/2.1.6"`, hostile.pick(), date, probes[random.IntN(len(probes))], 100+random.IntN(400))
		}
		friendly := population{random, 20000, "81"}
		status := 200
		if random.Float64() > 0.96 {
			status = 304
		}
		return fmt.Sprintf(`%s - - [%s] "GET /product/%d HTTP/2.0" %d %d "https://shop.example.com/" "%s"`,
			friendly.pick(), date, random.IntN(600), status, 200+random.IntN(90000), browser)
	})
}
