package engine

import (
	"context"

	"shieldwall/internal/localapi"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/output"
	"shieldwall/internal/wire"
)

// ownAPI hands alerts to the Local API of this process, as the machine that the client has logged in.
type ownAPI struct {
	server *localapi.Server
	client *localapiclient.Client
}

// Ready satisfies output.Receiver.
func (a ownAPI) Ready() bool { return a.client.Token() != "" }

// Receive satisfies output.Receiver.
func (a ownAPI) Receive(ctx context.Context, alerts []*wire.Alert) error {
	return a.server.Receive(ctx, a.client.Token(), alerts)
}

// wayOut returns who takes alerts, and what those that wait are sent with. The short way is for credentials that can mean
// nobody but the Local API of this process: one URL, and a password.
func (p *processor) wayOut(plan *plan) (logprocessor.Alerts, output.Sender) {
	c := plan.credentials
	if p.api == nil || len(c.URL) != 1 || c.Login == "" || !p.api.ListensAt(c.URL[0]) {
		return p.spool, plan.client
	}
	direct := output.NewDirect(p.spool, ownAPI{p.api, plan.client}, plan.client, p.log)
	return direct, direct
}
