package storetest

import (
	"strconv"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

// presenceOfMany: more than any transaction takes at once, and some of them are gone.
func presenceOfMany(f *fixture) {
	const many = 300
	for i := range many {
		addMachine(f, domain.Machine{ID: "m" + strconv.Itoa(i), Version: "v1"})
		addBouncer(f, domain.Bouncer{Name: "b" + strconv.Itoa(i), Version: "v1", Cursor: 1})
	}
	machines, bouncers := map[string]store.MachineChange{}, map[int64]store.BouncerChange{}
	now := f.clock.advance(time.Hour)
	for i := range many - 1 { // one stays as it is
		at := now.Add(-time.Duration(i) * time.Second)
		machines["m"+strconv.Itoa(i)] = store.MachineChange{LastPush: &at, LastHeartbeat: &now}
	}
	before := bouncersNow(f, store.BouncerFilter{})
	for i, bouncer := range before[:many-1] {
		bouncers[bouncer.ID] = store.BouncerChange{LastPull: &now, Cursor: new(int64(i))}
	}
	succeed(f.t, "deleting a machine", f.DeleteMachine(f.t.Context(), "m7"))
	succeed(f.t, "deleting a bouncer", f.DeleteBouncer(f.t.Context(), before[7].ID))
	succeed(f.t, "updating machines", f.UpdateMachines(f.t.Context(), machines))
	succeed(f.t, "updating bouncers", f.UpdateBouncers(f.t.Context(), bouncers))
	succeed(f.t, "updating none", f.UpdateMachines(f.t.Context(), nil))
	succeed(f.t, "updating none", f.UpdateBouncers(f.t.Context(), nil))

	for i, bouncer := range before {
		change := bouncers[bouncer.ID]
		if change.Cursor != nil {
			bouncer.LastPull, bouncer.Cursor, bouncer.UpdatedAt = *change.LastPull, *change.Cursor, now
		}
		if i == 7 {
			continue
		}
		equal(f.t, "bouncer "+bouncer.Name, bouncersNow(f, store.BouncerFilter{Name: bouncer.Name}), []domain.Bouncer{bouncer})
		machine := machineNow(f, "m"+strconv.Itoa(i))
		push := machines[machine.ID].LastPush
		if push == nil {
			push = &time.Time{}
		}
		equal(f.t, "last push of "+machine.ID, machine.LastPush, *push)
		equal(f.t, "last heartbeat of "+machine.ID, machine.LastHeartbeat.IsZero(), push.IsZero())
		equal(f.t, "version of "+machine.ID, machine.Version, "v1")
	}
}
