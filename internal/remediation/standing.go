package remediation

import "shieldwall/internal/wire"

// standing is how far the decision log of the Local API is in force here, as changes of it; 0 is none.
type standing struct {
	told     int64 // is desired
	applied  int64 // the backend has acknowledged
	verified int64 // was read back, and was as it has to be
}

// begin takes note of a state that replaces all others, perhaps by that of another log.
func (s *standing) begin(revision int64) { *s = standing{told: revision} }

// read takes note of a comparison. What was absent then proves that nothing is known of what was read back before.
func (s *standing) read(found Audit) {
	s.verified = s.told
	if found.Missing+found.Stale > 0 || found.Damaged {
		s.verified = 0
	}
}

// Standing returns what to tell the Local API of the work done so far.
func (e *Enforcer) Standing() wire.Standing {
	e.mu.Lock()
	defer e.mu.Unlock()
	last := e.audits.Last
	return wire.Standing{
		Applied: e.standing.applied, Verified: e.standing.verified, VerifiedAt: last.At.UTC(),
		Wanted: last.Wanted, Missing: last.Missing, Stale: last.Stale, Foreign: last.Foreign,
		Types: e.filter.Types, IPv4: e.filter.IPv4, IPv6: e.filter.IPv6,
	}
}
