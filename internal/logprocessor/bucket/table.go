package bucket

// table finds entries by the hash of their key: open addressing with linear probing, eight bytes a place,
// because a map of Go takes five times as much. The zero value is empty.
type table struct {
	places []place // a power of two
	used   int
}

// place has the hash of a key in its upper half and the number of the entry, from 1, in the lower. 0: free.
type place uint64

const (
	minPlaces = 64
	half      = 32
)

func placeOf(hash, number uint32) place { return place(hash)<<half | place(number) }

func (p place) hash() uint32 { return uint32(p >> half) }

func (p place) number() uint32 { return uint32(p) } //nolint:gosec // the lower half

// find returns the number of the entry with that hash for which same is true, 0 without one.
func (t *table) find(hash uint32, same func(number uint32) bool) uint32 {
	if t.used == 0 {
		return 0
	}
	mask := t.mask()
	for at := hash & mask; t.places[at] != 0; at = (at + 1) & mask {
		if place := t.places[at]; place.hash() == hash && same(place.number()) {
			return place.number()
		}
	}
	return 0
}

// add takes an entry that is not there yet.
func (t *table) add(hash, number uint32) {
	if (t.used+1)*5 > len(t.places)*4 {
		t.resize(max(minPlaces, 2*len(t.places)))
	}
	t.put(placeOf(hash, number))
	t.used++
}

// remove takes an entry out that is there, and closes the gap.
func (t *table) remove(hash, number uint32) {
	mask := t.mask()
	gap := hash & mask
	for t.places[gap] != placeOf(hash, number) {
		gap = (gap + 1) & mask
	}
	for at := (gap + 1) & mask; t.places[at] != 0; at = (at + 1) & mask {
		home := t.places[at].hash() & mask
		if (at-home)&mask >= (at-gap)&mask { // it may as well be where the gap is
			t.places[gap], gap = t.places[at], at
		}
	}
	t.places[gap] = 0
	t.used--
	if len(t.places) > minPlaces && t.used*8 < len(t.places) {
		t.resize(len(t.places) / 2)
	}
}

func (t *table) mask() uint32 { return uint32(len(t.places) - 1) } //nolint:gosec // entries have 32 bits

func (t *table) put(place place) {
	mask := t.mask()
	at := place.hash() & mask
	for t.places[at] != 0 {
		at = (at + 1) & mask
	}
	t.places[at] = place
}

func (t *table) resize(size int) {
	before := t.places
	t.places = make([]place, size)
	for _, place := range before {
		if place != 0 {
			t.put(place)
		}
	}
}
