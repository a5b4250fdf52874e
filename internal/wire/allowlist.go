package wire

// AllowlistCheck is the answer to the question whether an address or range is on an allowlist.
type AllowlistCheck struct {
	Allowlisted bool   `json:"allowlisted,omitempty"`
	Reason      string `json:"reason,omitempty"` // "<item> from <allowlist> (<comment>)", several joined by ", "
}
