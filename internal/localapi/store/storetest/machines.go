package storetest

import (
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

func fullMachine(f *fixture) domain.Machine {
	return domain.Machine{
		ID: "web-1", PasswordHash: "$2a$10$abc", IPAddress: "192.0.2.1", Version: "v1.2.3",
		OSName: "Debian", OSVersion: "13", Scenarios: []string{"a/b", "c/d"}, Validated: true,
		AuthType: domain.AuthTLS, LastPush: f.clock.Now().Add(-time.Minute), LastHeartbeat: f.clock.Now().Add(-time.Second),
	}
}

func addMachine(f *fixture, m domain.Machine) domain.Machine {
	f.t.Helper()
	succeed(f.t, "adding machine "+m.ID, f.AddMachine(f.t.Context(), m))
	m.CreatedAt, m.UpdatedAt = f.clock.Now(), f.clock.Now()
	return m
}

func machineNow(f *fixture, id string) domain.Machine {
	f.t.Helper()
	m, err := f.Machine(f.t.Context(), id)
	succeed(f.t, "reading machine "+id, err)
	return m
}

func machineRoundTrip(f *fixture) {
	full := addMachine(f, fullMachine(f))
	bare := addMachine(f, domain.Machine{ID: "bare", AuthType: domain.AuthPassword})
	equal(f.t, "full machine", machineNow(f, "web-1"), full)
	equal(f.t, "bare machine", machineNow(f, "bare"), bare)
}

func machineUpdate(f *fixture) {
	m := addMachine(f, fullMachine(f))
	now := f.clock.advance(time.Hour)
	steps := map[string]struct {
		change store.MachineChange
		apply  func()
	}{
		"nothing":    {store.MachineChange{}, func() {}},
		"password":   {store.MachineChange{PasswordHash: new("other")}, func() { m.PasswordHash = "other" }},
		"address":    {store.MachineChange{IPAddress: new("2001:db8::1")}, func() { m.IPAddress = "2001:db8::1" }},
		"version":    {store.MachineChange{Version: new("v2")}, func() { m.Version = "v2" }},
		"os":         {store.MachineChange{OSName: new("")}, func() { m.OSName = "" }},
		"os version": {store.MachineChange{OSVersion: new("14")}, func() { m.OSVersion = "14" }},
		"scenarios":  {store.MachineChange{Scenarios: &[]string{"e/f"}}, func() { m.Scenarios = []string{"e/f"} }},
		"validated":  {store.MachineChange{Validated: new(false)}, func() { m.Validated = false }},
		"push":       {store.MachineChange{LastPush: &now}, func() { m.LastPush = now }},
		"heartbeat":  {store.MachineChange{LastHeartbeat: &time.Time{}}, func() { m.LastHeartbeat = time.Time{} }},
	}
	for name, step := range steps {
		succeed(f.t, "updating "+name, f.UpdateMachine(f.t.Context(), m.ID, step.change))
		step.apply()
		m.UpdatedAt = now
		equal(f.t, "machine after updating "+name, machineNow(f, m.ID), m)
	}
}

func machineExists(f *fixture) {
	addMachine(f, domain.Machine{ID: "twin"})
	err := f.AddMachine(f.t.Context(), domain.Machine{ID: "twin", Version: "other"})
	equal(f.t, "kind of error", fault.KindOf(err), fault.Exists)
	equal(f.t, "text of error", err.Error(), "user 'twin': user already exist")
	equal(f.t, "first machine", machineNow(f, "twin").Version, "")
}

func machineMissing(f *fixture) {
	addMachine(f, domain.Machine{ID: "other"})
	_, err := f.Machine(f.t.Context(), "ghost")
	for what, err := range map[string]error{
		"read":   err,
		"update": f.UpdateMachine(f.t.Context(), "ghost", store.MachineChange{Version: new("v1")}),
		"delete": f.DeleteMachine(f.t.Context(), "ghost"),
	} {
		equal(f.t, "kind of error of "+what, fault.KindOf(err), fault.NotFound)
	}
}

func machineOrder(f *fixture) {
	none, err := f.Machines(f.t.Context())
	succeed(f.t, "listing none", err)
	equal(f.t, "no machines", len(none), 0)
	want := []domain.Machine{
		addMachine(f, domain.Machine{ID: "z"}),
		addMachine(f, domain.Machine{ID: "a"}),
		addMachine(f, domain.Machine{ID: "m"}),
	}
	got, err := f.Machines(f.t.Context())
	succeed(f.t, "listing", err)
	equal(f.t, "machines", got, want)
}

func machineDeleted(f *fixture) {
	addMachine(f, domain.Machine{ID: "web-1"})
	alert := fullAlert(f)
	id := addAlerts(f, alert)[0]
	succeed(f.t, "deleting", f.DeleteMachine(f.t.Context(), "web-1"))
	equal(f.t, "owner", alertNow(f, id).MachineID, "")
	_, err := f.Machine(f.t.Context(), "web-1")
	equal(f.t, "kind of error", fault.KindOf(err), fault.NotFound)
}
