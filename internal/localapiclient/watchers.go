package localapiclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

// Login proves the machine's identity and returns a token. Other methods log in by themselves.
// Unauthorized when the Local API knows no such machine, password or certificate, or it is not validated.
func (c *Client) Login(ctx context.Context) (wire.Token, error) {
	var token wire.Token
	err := c.anywhere(ctx, request{}, func(ctx context.Context, t try) (err error) {
		token, err = c.login(ctx, t)
		return err
	})
	return token, err
}

func (c *Client) login(ctx context.Context, t try) (wire.Token, error) {
	credentials := wire.Login{MachineID: c.cfg.Login, Password: c.cfg.Password}
	if c.cfg.Scenarios != nil {
		credentials.Scenarios = c.cfg.Scenarios()
	}
	var token wire.Token
	err := c.send(ctx, t, request{
		method: http.MethodPost, path: []string{"watchers", "login"}, body: credentials,
		decode: into(&token), maxSize: maxSmall,
	}, header{})
	if err != nil {
		return wire.Token{}, err
	}
	if token.Token == "" {
		return wire.Token{}, fault.Errorf(fault.Unavailable, "the answer to the login has no token")
	}
	return token, nil
}

// enter is login for requests that need a token. A machine that is refused may have been forgotten: it
// registers again if it has a token for that, and tries once more.
func (c *Client) enter(ctx context.Context, t try) (wire.Token, error) {
	token, err := c.login(ctx, t)
	if !isRefused(err) || c.cfg.RegistrationToken == "" || c.cfg.Login == "" {
		return token, err
	}
	failure := c.register(ctx, t, wire.Registration{
		MachineID: c.cfg.Login, Password: c.cfg.Password, RegistrationToken: c.cfg.RegistrationToken,
	})
	if failure != nil {
		c.log.WarnContext(ctx, "the login is refused, and so is a new registration", "machine", c.cfg.Login, "error", failure)
		return wire.Token{}, err
	}
	c.log.InfoContext(ctx, "the Local API did not know this machine any more, it has registered again", "machine", c.cfg.Login)
	return c.login(ctx, t)
}

// Register makes a machine known to the Local API. Forbidden when the name is taken or registration is
// closed, Unauthorized when the registration token is refused.
func (c *Client) Register(ctx context.Context, machine wire.Registration) error {
	return c.anywhere(ctx, request{once: true}, func(ctx context.Context, t try) error {
		return c.register(ctx, t, machine)
	})
}

func (c *Client) register(ctx context.Context, t try, machine wire.Registration) error {
	err := c.send(ctx, t, request{method: http.MethodPost, path: []string{"watchers"}, body: machine}, header{})
	if err == nil {
		return nil
	}
	var refused *Error
	if errors.As(err, &refused) && refused.Status != http.StatusUnprocessableEntity {
		err = fault.Errorf(fault.KindOf(err), "%d %s: %w", refused.Status, http.StatusText(refused.Status), err)
	}
	return fmt.Errorf("api register (%s): %w", t.base, err)
}

// Heartbeat tells the Local API that the machine is alive.
func (c *Client) Heartbeat(ctx context.Context) error {
	return c.asMachine(ctx, request{method: http.MethodGet, path: []string{"heartbeat"}})
}

// Unregister makes the Local API forget the machine that the client logs in as.
func (c *Client) Unregister(ctx context.Context) error {
	return c.asMachine(ctx, request{method: http.MethodDelete, path: []string{"watchers", "self"}})
}
