package systemd_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"shieldwall/internal/platform/systemd"
)

type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	value, set := e[name]
	return value, set
}

func TestManagerIsTold(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify")
	for socket, address := range map[string]string{
		path:                path,
		"@" + path + "-abs": "\x00" + path + "-abs",
	} {
		listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: address})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = listener.Close() }()
		manager := systemd.FromEnv(environment{"NOTIFY_SOCKET": socket}.lookup)
		for _, test := range []struct {
			tell func(context.Context) error
			want string
		}{
			{manager.Ready, `^READY=1$`},
			{manager.Reloading, `^RELOADING=1\nMONOTONIC_USEC=\d+$`},
			{manager.Alive, `^WATCHDOG=1$`},
			{manager.Stopping, `^STOPPING=1$`},
		} {
			if err := test.tell(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := read(t, listener); !regexp.MustCompile(test.want).MatchString(got) {
				t.Errorf("%s: the manager got %q, want %s", socket, got, test.want)
			}
		}
	}
}

func read(t *testing.T, listener *net.UnixConn) string {
	t.Helper()
	if err := listener.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 256)
	n, err := listener.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return string(buffer[:n])
}

func TestNobodyWaits(t *testing.T) {
	t.Parallel()
	if err := (systemd.Manager{}).Ready(t.Context()); err != nil {
		t.Errorf("without a manager: %v", err)
	}
	gone := systemd.FromEnv(environment{"NOTIFY_SOCKET": filepath.Join(t.TempDir(), "none")}.lookup)
	if err := gone.Ready(t.Context()); err == nil {
		t.Error("a socket that does not exist was told")
	}
}

func TestAliveEvery(t *testing.T) {
	t.Parallel()
	own := strconv.Itoa(os.Getpid())
	for name, test := range map[string]struct {
		env  environment
		want time.Duration
	}{
		"none":            {environment{}, 0},
		"of this process": {environment{"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": own}, 1500 * time.Millisecond},
		"of any process":  {environment{"WATCHDOG_USEC": "3000000"}, 1500 * time.Millisecond},
		"of another one":  {environment{"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": own + "0"}, 0},
		"no number":       {environment{"WATCHDOG_USEC": "soon"}, 0},
		"beyond reason":   {environment{"WATCHDOG_USEC": "99999999999999999999"}, 0},
	} {
		if got := systemd.FromEnv(test.env.lookup).AliveEvery(); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
