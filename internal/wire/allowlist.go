package wire

import (
	"io"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
)

// AllowlistCheck is the answer to the question whether an address or range is on an allowlist.
type AllowlistCheck struct {
	Allowlisted bool   `json:"allowlisted,omitempty"`
	Reason      string `json:"reason,omitempty"` // "<item> from <allowlist> (<comment>)", several joined by ", "
}

// Allowlist is an allowlist as the Local API answers it.
type Allowlist struct {
	AllowlistID    string          `json:"allowlist_id,omitempty"`    // of the console, "" for a list of cscli
	ConsoleManaged bool            `json:"console_managed,omitempty"` // cscli must not change it
	CreatedAt      Milliseconds    `json:"created_at"`
	Description    string          `json:"description"`
	Items          []AllowlistItem `json:"items"` // never null
	Name           string          `json:"name"`
	UpdatedAt      Milliseconds    `json:"updated_at"`
}

// AllowlistItem is one entry of an allowlist.
type AllowlistItem struct {
	CreatedAt   Milliseconds `json:"created_at"`
	Description string       `json:"description,omitempty"`
	Expiration  Milliseconds `json:"expiration"` // zero: never
	Value       string       `json:"value"`
}

// BulkAllowlistCheck is the body of POST /v1/allowlists/check.
type BulkAllowlistCheck struct {
	Targets []string `json:"targets"` // addresses and ranges
}

// BulkAllowlistResults is the answer to a BulkAllowlistCheck.
type BulkAllowlistResults struct {
	Results []BulkAllowlistResult `json:"results"` // of the targets that are listed; never null
}

// BulkAllowlistResult is what lists one target.
type BulkAllowlistResult struct {
	Allowlists []string `json:"allowlists"` // a reason for each item, as AllowlistCheck has it
	Target     string   `json:"target"`
}

// Milliseconds is a time that is written in UTC with three digits of fraction.
type Milliseconds struct {
	time.Time
}

// MarshalJSON implements json.Marshaler.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return m.UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z07:00"`), nil
}

// FromAllowlist returns the document for list, with its items or without.
func FromAllowlist(list *domain.Allowlist, items []domain.AllowlistItem) Allowlist {
	document := Allowlist{
		AllowlistID: list.ConsoleID, ConsoleManaged: list.FromConsole, CreatedAt: Milliseconds{list.CreatedAt},
		Description: list.Description, Items: make([]AllowlistItem, len(items)), Name: list.Name,
		UpdatedAt: Milliseconds{list.UpdatedAt},
	}
	for i, item := range items {
		document.Items[i] = AllowlistItem{
			CreatedAt: Milliseconds{item.CreatedAt}, Description: item.Comment,
			Expiration: Milliseconds{item.ExpiresAt}, Value: item.Value,
		}
	}
	return document
}

// DecodeBulkAllowlistCheck reads the body of POST /v1/allowlists/check. Malformed JSON, and no targets, are
// fault.Invalid errors.
func DecodeBulkAllowlistCheck(r io.Reader) (BulkAllowlistCheck, error) {
	var check BulkAllowlistCheck
	if err := decodeJSON(r, &check); err != nil {
		return BulkAllowlistCheck{}, err
	}
	if len(check.Targets) == 0 {
		return BulkAllowlistCheck{}, fault.Errorf(fault.Invalid, "targets list cannot be empty")
	}
	return check, nil
}
