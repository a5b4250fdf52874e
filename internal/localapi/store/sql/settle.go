package sql

import (
	"context"
	"fmt"
)

// settleCounter is moved when a commit is needed for its own sake.
const settleCounter = "settled"

// settle returns when the change log is on disk up to seq.
//
// InnoDB shows a commit to others before it has written it. Had we told a bouncer about an entry that a crash of the
// server then took away, the next entry would get its number, and the bouncer would never hear of that one. The log of
// InnoDB is written in one order, so a commit that comes after what was seen brings all of it to disk.
func (s *Store) settle(ctx context.Context, seq int64) error {
	if !s.engine.settles || seq <= s.settled.Load() {
		return nil
	}
	err := s.write(ctx, func(tx session) error {
		_, err := tx.exec(ctx, "UPDATE counters SET value = value + 1 WHERE name = ?", settleCounter)
		return err
	})
	if err != nil {
		return fmt.Errorf("settling the change log: %w", err)
	}
	s.noteSettled(seq)
	return nil
}

// noteSettled remembers that a commit returned which included, or came after, the entry with the number seq.
func (s *Store) noteSettled(seq int64) {
	for {
		known := s.settled.Load()
		if seq <= known || s.settled.CompareAndSwap(known, seq) {
			return
		}
	}
}
