package stream

const slabChunk = 1024 // entries, some 80 KB

// ref is the number of an entry in its slab.
type ref uint32

// nobody is the ref of no entry.
const nobody ref = 0

// entry is one decision and where it is linked in.
type entry struct {
	Record

	next, prev ref // about the same value; of a slot that is free, next is another one
	inHeap     uint32
	listed     uint8 // in how many rolls
	gone       bool  // still in a roll, but no longer in force
}

// slab is a store of entries that costs the garbage collector next to nothing. An entry stays where it is.
type slab struct {
	chunks []*[slabChunk]entry
	used   ref // slots that were ever handed out; the first one never is
	free   ref // a slot to use again
}

func (s *slab) at(r ref) *entry { return &s.chunks[r/slabChunk][r%slabChunk] }

// put keeps a record that is linked nowhere yet.
func (s *slab) put(record Record) ref {
	r := s.free
	if r != nobody {
		s.free = s.at(r).next
	} else {
		s.used++
		r = s.used
		if int(r/slabChunk) >= len(s.chunks) {
			s.chunks = append(s.chunks, new([slabChunk]entry))
		}
	}
	*s.at(r) = entry{Record: record}
	return r
}

// drop makes room for another entry. Nobody may refer to it any more.
func (s *slab) drop(r ref) {
	*s.at(r) = entry{next: s.free}
	s.free = r
}
