package systemd_test

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"shieldwall/internal/platform/systemd"
)

func TestNotify(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify")
	for socket, address := range map[string]string{
		path:                "" + path,
		"@" + path + "-abs": "\x00" + path + "-abs",
	} {
		manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: address})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = manager.Close() }()
		if err := systemd.Notify(t.Context(), socket, systemd.Ready); err != nil {
			t.Fatal(err)
		}
		if err := manager.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 64)
		n, err := manager.Read(buffer)
		if err != nil || string(buffer[:n]) != "READY=1" {
			t.Errorf("%s: the manager got %q, %v", socket, buffer[:n], err)
		}
	}
}

func TestNotifyNobody(t *testing.T) {
	t.Parallel()
	if err := systemd.Notify(t.Context(), "", systemd.Ready); err != nil {
		t.Errorf("without a manager: %v", err)
	}
	if err := systemd.Notify(t.Context(), filepath.Join(t.TempDir(), "none"), systemd.Ready); err == nil {
		t.Error("a socket that does not exist was notified")
	}
}
