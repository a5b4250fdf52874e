package domain

import "time"

// Allowlist is a named list of addresses and prefixes that are never banned.
type Allowlist struct {
	ID          int64
	Name        string // unique
	Description string
	ConsoleID   string // identity at the console, "" for a list of cscli
	FromConsole bool   // managed by the console: cscli must not change it
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Items       []AllowlistItem // those that have not expired, in the order of insertion
}

// AllowlistItem is one entry of an allowlist.
type AllowlistItem struct {
	Value     string // an address or a prefix, as given
	Comment   string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}
