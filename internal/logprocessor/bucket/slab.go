package bucket

import "slices"

// slab owns the entries, in blocks that the garbage collector sees as one: numbers of four bytes take the place
// of pointers. Numbers begin with 1; 0 is none. The zero value is empty.
type slab struct {
	blocks     []*block
	rooms      []room   // of the blocks
	roomy      []uint32 // blocks with room, all of them
	unused     []uint32 // indexes without a block
	generation uint32   // of the latest entry
}

// block is a size that the allocator has; what is known of it is kept elsewhere.
type block [blockSize]entry

const blockSize = 256

// room are the free entries of a block: the first one's place is known, told of each is the place of the next.
type room struct {
	first, count uint16
}

// ref names an entry for as long as it lives, and nothing afterwards.
type ref struct {
	number, generation uint32
}

// at returns the entry of a number that is in use.
func (s *slab) at(number uint32) *entry {
	return &s.blocks[(number-1)/blockSize][(number-1)%blockSize]
}

// number is at for a number that may not be in use any more, or never was: it returns nil then.
func (s *slab) number(number uint32) *entry {
	index := (number - 1) / blockSize
	if index >= uint32(len(s.blocks)) || s.blocks[index] == nil { //nolint:gosec // entries have 32 bits
		return nil
	}
	if e := &s.blocks[index][(number-1)%blockSize]; e.ref == (ref{number, e.generation}) {
		return e
	}
	return nil
}

// find returns nil when the entry is gone.
func (s *slab) find(of ref) *entry {
	block := s.blocks[(of.number-1)/blockSize]
	if block == nil {
		return nil
	}
	if e := &block[(of.number-1)%blockSize]; e.generation == of.generation {
		return e
	}
	return nil
}

// add returns an empty entry, which knows its number.
func (s *slab) add() *entry {
	if len(s.roomy) == 0 {
		s.grow()
	}
	index := s.roomy[len(s.roomy)-1]
	room := &s.rooms[index]
	place := room.first
	e := &s.blocks[index][place]
	room.first, room.count = uint16(e.told), room.count-1 //nolint:gosec // a place
	if room.count == 0 {
		s.roomy = s.roomy[:len(s.roomy)-1]
	}
	s.generation = max(1, s.generation+1) // 0 is nobody's
	e.told, e.ref = 0, ref{number: index*blockSize + uint32(place) + 1, generation: s.generation}
	return e
}

// remove forgets an entry, and with the last one its block.
func (s *slab) remove(e *entry) {
	index, place := (e.number-1)/blockSize, (e.number-1)%blockSize
	room := &s.rooms[index]
	*e = entry{told: uint32(room.first)}
	room.first, room.count = uint16(place), room.count+1
	switch room.count {
	case 1:
		s.roomy = append(s.roomy, index)
	case blockSize:
		s.release(index)
	}
}

// release lets go of an empty block, unless it is the only one with room.
func (s *slab) release(index uint32) {
	if len(s.roomy) == 1 {
		return
	}
	s.roomy = slices.DeleteFunc(s.roomy, func(roomy uint32) bool { return roomy == index })
	s.blocks[index] = nil
	s.unused = append(s.unused, index)
}

func (s *slab) grow() {
	index := uint32(len(s.blocks)) //nolint:gosec // entries have 32 bits
	if last := len(s.unused) - 1; last >= 0 {
		index, s.unused = s.unused[last], s.unused[:last]
	} else {
		s.blocks, s.rooms = append(s.blocks, nil), append(s.rooms, room{})
	}
	added := new(block)
	for i := range added {
		added[i].told = uint32(i + 1)
	}
	s.blocks[index], s.rooms[index] = added, room{count: blockSize}
	s.roomy = append(s.roomy, index)
}

// all calls visit for each entry. visit may remove it, and no other.
func (s *slab) all(visit func(*entry)) {
	for _, block := range s.blocks {
		if block == nil {
			continue
		}
		for i := range block {
			if e := &block[i]; e.number != 0 {
				visit(e)
			}
		}
	}
}
