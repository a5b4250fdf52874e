package machines

import (
	"cmp"
	"encoding/json"
	"time"

	"shieldwall/internal/cscli/table"
	"shieldwall/internal/domain"
	"shieldwall/internal/wire"
)

// silence is how long a machine may send no heartbeat before the list warns.
const silence = 2 * time.Minute

// record is a machine as JSON. Its mix of spellings is what scripts read.
type record struct {
	CreatedAt     time.Time        `json:"created_at"`
	UpdatedAt     time.Time        `json:"updated_at"`
	LastPush      *time.Time       `json:"last_push,omitempty"`
	LastHeartbeat *time.Time       `json:"last_heartbeat,omitempty"`
	MachineID     string           `json:"machineId,omitempty"`
	IPAddress     string           `json:"ipAddress,omitempty"`
	Version       string           `json:"version,omitempty"`
	IsValidated   bool             `json:"isValidated,omitempty"`
	AuthType      string           `json:"auth_type"`
	OS            string           `json:"os,omitempty"`
	FeatureFlags  []string         `json:"featureflags,omitempty"`
	Datasources   map[string]int64 `json:"datasources,omitempty"`
}

func recordOf(m domain.Machine) record {
	return record{
		CreatedAt:     m.CreatedAt,
		UpdatedAt:     m.UpdatedAt,
		LastPush:      unlessZero(m.LastPush),
		LastHeartbeat: unlessZero(m.LastHeartbeat),
		MachineID:     m.ID,
		IPAddress:     m.IPAddress,
		Version:       m.Version,
		IsValidated:   m.Validated,
		AuthType:      authType(m),
		OS:            osText(m),
		FeatureFlags:  m.FeatureFlags,
		Datasources:   datasources(m),
	}
}

// datasources returns how many sources of each type a machine has reported. What cannot be read is nothing.
func datasources(m domain.Machine) (count map[string]int64) {
	_ = json.Unmarshal([]byte(m.Datasources), &count)
	return count
}

// hubState returns the hub items that a machine has reported, by type. What cannot be read is nothing.
func hubState(m domain.Machine) (items map[string][]wire.HubItemUsage) {
	items = map[string][]wire.HubItemUsage{}
	_ = json.Unmarshal([]byte(m.HubState), &items)
	return items
}

func authType(m domain.Machine) string { return string(cmp.Or(m.AuthType, domain.AuthPassword)) }

func osText(m domain.Machine) string {
	if m.OSName == "" {
		return "?"
	}
	return m.OSName + "/" + m.OSVersion
}

func status(m domain.Machine) string {
	if m.Validated {
		return table.Check
	}
	return table.Prohibited
}

// lastHeartbeat says how long ago a machine was alive, with a warning when that is too long ago.
func lastHeartbeat(m domain.Machine, now time.Time) string {
	if m.LastHeartbeat.IsZero() {
		return table.Warning + " -"
	}
	age := now.Sub(m.LastHeartbeat).Truncate(time.Second)
	if age > silence {
		return table.Warning + " " + age.String()
	}
	return age.String()
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
