package output

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

const segmentSuffix = ".log"

// recover reads what an earlier run left: how far it delivered, and what still waits. New records go to a
// new file, so that a half-written one never gets a second half.
func (s *Spool) recover() error {
	if err := s.readDelivered(); err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(s.dir, "*"+segmentSuffix))
	if err != nil {
		return fmt.Errorf("listing spool: %w", err)
	}
	for _, path := range paths {
		if err := s.readSegment(path); err != nil {
			return fmt.Errorf("reading spool: %w", err)
		}
	}
	if err := s.removeEmpty(); err != nil {
		return fmt.Errorf("cleaning spool: %w", err)
	}
	return nil
}

// readDelivered opens the file that says how far the spool is delivered.
func (s *Spool) readDelivered() error {
	path := filepath.Join(s.dir, deliveredName)
	var err error
	if s.place, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil { //nolint:gosec // in our own folder
		return fmt.Errorf("reading spool: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(s.place, placeBytes))
	if err != nil {
		return fmt.Errorf("reading spool: %w", err)
	}
	if len(text) == 0 {
		return nil
	}
	number, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil || number > maxNumber {
		s.log.Warn("place in the spool not understood, sending everything again", "path", path, "error", err)
		return nil
	}
	s.delivered, s.next = number, number+1
	return nil
}

// placeBytes is the size of the file: a number of that many digits and a newline.
const placeBytes = 21

// writeDelivered does not wait for the disk: what a loss of power takes is sent again, and stored once.
func (s *Spool) writeDelivered() error {
	_, err := s.place.WriteAt(fmt.Appendf(nil, "%0*d\n", placeBytes-1, s.delivered), 0)
	return err
}

// readSegment queues the records of a file that were not delivered.
func (s *Spool) readSegment(path string) error {
	content, err := os.ReadFile(path) //nolint:gosec // our own file
	if err != nil {
		return err
	}
	segment := &segment{path: path, size: int64(len(content))}
	s.segments = append(s.segments, segment)
	offset := int64(0)
	for text := range bytes.Lines(content) {
		number, _, err := openRecord(bytes.TrimSuffix(text, []byte{'\n'}))
		switch {
		case err != nil || text[len(text)-1] != '\n':
			s.log.Warn("damaged record of the spool is set aside", "path", path, "offset", offset)
			s.aside.putDamaged(filepath.Base(path), offset, text)
		case number >= s.next:
			s.enqueue(entry{number: number, segment: segment, offset: offset, size: int64(len(text))})
		}
		offset += int64(len(text))
	}
	return nil
}
