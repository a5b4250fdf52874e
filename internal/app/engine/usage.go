package engine

import (
	"os"

	"shieldwall/internal/hub"
	"shieldwall/internal/logprocessor/usage"
	"shieldwall/internal/platform/buildinfo"
	"shieldwall/internal/platform/osrelease"
	"shieldwall/internal/wire"
)

// tainted is the version of a hub item that was changed on this machine.
const tainted = "?"

// identity is what usage reports tell of a log processor that runs plan.
func (p *processor) identity(plan *plan) usage.Identity {
	system, err := osrelease.Read(os.DirFS("/"))
	if err != nil {
		p.log.Warn("the operating system is not known", "error", err)
	}
	identity := usage.Identity{
		Version: buildinfo.Read().Version, OS: wire.OSVersion(system), Started: p.now(),
		Datasources: map[string]int64{}, HubItems: hubItems(plan.rules.inventory),
	}
	for _, definition := range plan.definitions {
		identity.Datasources[definition.Base().Source]++
	}
	return identity
}

// hubItems lists what is installed, by type. Every type is there, as published.
func hubItems(inventory *hub.Inventory) map[string][]wire.HubItemUsage {
	byType := map[string][]wire.HubItemUsage{}
	for _, kind := range hub.Kinds() {
		items := []wire.HubItemUsage{}
		for _, item := range inventory.Installed(kind) {
			items = append(items, hubItem(&item))
		}
		byType[string(kind)] = items
	}
	return byType
}

func hubItem(item *hub.Item) wire.HubItemUsage {
	switch {
	case item.Local():
		return wire.HubItemUsage{Name: item.Name, Status: "custom"}
	case item.Version == tainted:
		return wire.HubItemUsage{Name: item.Name, Version: item.Version, Status: "tainted"}
	}
	return wire.HubItemUsage{Name: item.Name, Version: item.Version, Status: "official"}
}
