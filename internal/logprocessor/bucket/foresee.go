package bucket

// Visit is a pour that is about to come.
type Visit struct {
	Family *Family
	Group  string
}

const (
	// MaxForeseen is how many visits Foresee looks at.
	MaxForeseen = 64
	// manyBuckets are more than the caches of a processor have room for.
	manyBuckets = 4096
)

// Crowded reports whether there are so many buckets that Foresee is worth its time.
func (s *Store) Crowded() bool { return s.Len() > manyBuckets }

// Foresee changes nothing, but the pours that follow find their buckets in the caches of the processor. One
// after the other they would wait for memory, which is most of the time that a pour takes among a million
// buckets; here the processor waits for many at once.
func (s *Store) Foresee(visits []Visit) {
	visits = visits[:min(len(visits), MaxForeseen)]
	if s.Len() == 0 {
		return
	}
	var hashes, numbers [MaxForeseen]uint32
	for i := range visits {
		hashes[i] = visits[i].Family.hash(visits[i].Group)
		s.foreseen ^= uint64(s.index.places[hashes[i]&s.index.mask()])
	}
	for i := range visits {
		if numbers[i] = s.index.find(hashes[i], anyEntry); numbers[i] != 0 {
			e := s.entries.at(numbers[i])
			s.foreseen ^= uint64(e.generation) ^ uint64(e.total) // both halves of it
		}
	}
	for _, number := range numbers[:len(visits)] {
		if number != 0 {
			s.foreseen ^= s.entries.at(number).touch()
		}
	}
}

// touch reads what a pour does behind the entry.
func (e *entry) touch() uint64 {
	var read uint64
	if len(e.queue) > 0 && !e.queue[0].IsZero() {
		read++
	}
	if e.more != nil && e.more.distinct.few != "" {
		read += uint64(e.more.distinct.few[0])
	}
	return read
}

// anyEntry takes what has the hash: that it is another's once in a billion does no harm.
func anyEntry(uint32) bool { return true }
