package bucket

// Visit is a pour that is about to come.
type Visit struct {
	Family *Family
	Group  string
	Input  *Input // will know where the bucket is
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
// buckets; here the processor waits for many at once: no loop does more than reach for one thing.
func (s *Store) Foresee(visits []Visit) {
	visits = visits[:min(len(visits), MaxForeseen)]
	if s.Len() == 0 {
		return
	}
	var hashes, numbers [MaxForeseen]uint32
	for i := range visits {
		hashes[i] = visits[i].Family.hash(visits[i].Group)
	}
	var read uint64
	for _, hash := range hashes[:len(visits)] {
		read ^= uint64(s.index.places[hash&s.index.mask()])
	}
	for i := range visits {
		numbers[i] = s.index.find(hashes[i], anyEntry)
		visits[i].Input.place = numbers[i]
	}
	for _, number := range numbers[:len(visits)] {
		if number != 0 {
			read ^= uint64(s.entries.at(number).total)
		}
	}
	for _, number := range numbers[:len(visits)] {
		if number != 0 {
			read ^= s.entries.at(number).touch()
		}
	}
	s.foreseen ^= read
}

// touch reads what a pour does behind the entry.
func (e *entry) touch() uint64 {
	read := uint64(e.family)
	if len(e.queue) > 0 && !e.queue[0].IsZero() {
		read++
	}
	if e.more != nil && len(e.more.distinct.few) > 0 {
		read += uint64(e.more.distinct.few[0])
	}
	return read
}

// foreseen returns the bucket of a group if it is there, or else nil.
func (f *Family) foreseen(number uint32, group string) *entry {
	if number == 0 {
		return nil
	}
	if e := f.store.entries.number(number); e != nil && e.family == f.number && e.isOf(group) {
		return e
	}
	return nil
}

// anyEntry takes what has the hash: that it is another's once in a billion does no harm.
func anyEntry(uint32) bool { return true }
