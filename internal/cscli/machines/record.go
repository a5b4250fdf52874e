package machines

import (
	"cmp"
	"time"

	"shieldwall/internal/cscli/table"
	"shieldwall/internal/domain"
)

// silence is how long a machine may send no heartbeat before the list warns.
const silence = 2 * time.Minute

// record is a machine as JSON. Its mix of spellings is what scripts read.
type record struct {
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
	LastPush      *time.Time `json:"last_push,omitempty"`
	LastHeartbeat *time.Time `json:"last_heartbeat,omitempty"`
	MachineID     string     `json:"machineId,omitempty"`
	IPAddress     string     `json:"ipAddress,omitempty"`
	Version       string     `json:"version,omitempty"`
	IsValidated   bool       `json:"isValidated,omitempty"`
	AuthType      string     `json:"auth_type"`
	OS            string     `json:"os,omitempty"`
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
	}
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
