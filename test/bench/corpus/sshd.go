package corpus

import (
	"encoding/hex"
	"fmt"
)

func users() []string {
	return []string{"root", "admin", "test", "oracle", "ubuntu", "git", "postgres", "deploy", "pi", "ftp"}
}

// sshd writes a line of a syslog.
func (w *writer) sshd() {
	r := w.random
	pid, port, x := r.between(1000, 60_000), r.between(1024, 65_000), r.float()
	w.text(w.stamp, " web").number(r.between(1, 5))
	switch {
	case x < .30:
		w.text(" sshd[").number(pid)
		w.fail(x, port)
	case x < .50:
		w.text(" sshd[").number(pid)
		w.text("]: Accepted publickey for deploy from ", w.client(w.friends), " port ").number(port)
		key := r.bits200()
		w.text(" ssh2: ED25519 SHA256:", hex.EncodeToString(key[:]))
	case x < .65:
		w.text(" sshd[").number(pid)
		w.text("]: Disconnected from user deploy ", w.client(w.friends), " port ").number(port)
	case x < .80:
		w.text(" CRON[").number(pid)
		w.text("]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)")
	case x < .90:
		w.text(" systemd[1]: Started Session ").number(pid)
		w.text(" of User deploy.")
	default:
		w.line = fmt.Appendf(w.line, " kernel: [%d.%06d] eth0: link becomes ready", pid, port)
	}
}

// fail goes on with what sshd says of a failed login.
func (w *writer) fail(x float64, port int) {
	r := w.random
	switch {
	case x < .15:
		w.text("]: Failed password for invalid user ", pick(r, w.users), " from ", w.client(w.foes), " port ").number(port)
		w.text(" ssh2")
	case x < .25:
		w.text("]: Invalid user ", pick(r, w.users), " from ", w.client(w.foes), " port ").number(port)
	default:
		w.text("]: Failed password for root from ", w.client(w.foes), " port ").number(port)
		w.text(" ssh2")
	}
}
