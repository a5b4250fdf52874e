package localapi

import (
	"context"

	"shieldwall/internal/domain"
)

// newcomers is the store that makes callers known. It puts on record who has come in: a machine that registers or
// shows a good certificate for the first time, a bouncer that uses its key or certificate at a new address.
type newcomers struct {
	Store
	journal *journal
}

// AddMachine implements store.Machines.
func (n newcomers) AddMachine(ctx context.Context, m domain.Machine) error {
	err := n.Store.AddMachine(ctx, m)
	if err == nil {
		n.journal.note(domain.AuditEntry{
			ActorKind: "machine", Actor: m.ID, Address: m.IPAddress, Action: "machine.add", Subject: m.ID, Count: 1,
		})
	}
	return err
}

// AddBouncer implements store.Bouncers.
func (n newcomers) AddBouncer(ctx context.Context, b domain.Bouncer) (domain.Bouncer, error) {
	added, err := n.Store.AddBouncer(ctx, b)
	if err == nil {
		n.journal.note(domain.AuditEntry{
			ActorKind: "bouncer", Actor: b.Name, Address: b.IPAddress, Action: "bouncer.add", Subject: b.Name, Count: 1,
		})
	}
	return added, err
}
