package tap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
)

// View is the end of a viewer. One goroutine at a time may use it.
type View struct {
	conn    net.Conn
	decoder *json.Decoder
	release func() bool
}

// ErrRefused says that the log processor does not grant a request; the text around it says why.
var ErrRefused = errors.New("refused")

// Watch asks the log processor behind a socket to show its events, and returns when it does. When ctx ends, so does
// the view. Errors of the system are those of connecting, such as os.ErrNotExist and os.ErrPermission.
func Watch(ctx context.Context, path string, request Request) (*View, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	v := &View{conn: conn, decoder: json.NewDecoder(conn), release: context.AfterFunc(ctx, func() { _ = conn.Close() })}
	if err := v.ask(request); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

func (v *View) ask(request Request) error {
	if err := json.NewEncoder(v.conn).Encode(request); err != nil {
		return fmt.Errorf("sending the request: %w", err)
	}
	var answer reply
	if err := v.decoder.Decode(&answer); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if answer.Error != "" {
		return fmt.Errorf("%w: %s", ErrRefused, answer.Error)
	}
	return nil
}

// Next waits for an event. It returns io.EOF after the last one.
func (v *View) Next() (Event, error) {
	var e Event
	err := v.decoder.Decode(&e)
	return e, err
}

// Close ends the view.
func (v *View) Close() {
	v.release()
	_ = v.conn.Close() // nothing is on its way to the other end
}
