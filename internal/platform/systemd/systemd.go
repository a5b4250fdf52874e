// Package systemd tells the service manager how a program is doing.
package systemd

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// Ready is the state of a service that has started.
const Ready = "READY=1"

// Notify sends state to the service manager, whose socket is the value of NOTIFY_SOCKET. It does nothing
// when socket is empty: then nobody waits. A name that begins with @ is in the abstract namespace.
func Notify(ctx context.Context, socket, state string) error {
	if socket == "" {
		return nil
	}
	if name, abstract := strings.CutPrefix(socket, "@"); abstract {
		socket = "\x00" + name
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unixgram", socket)
	if err != nil {
		return fmt.Errorf("notifying systemd: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("notifying systemd: %w", err)
	}
	return nil
}
