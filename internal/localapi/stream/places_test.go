package stream

import (
	"testing"
	"unique"

	"pgregory.net/rapid"
)

// TestPlacesAreAMap, whatever is added and removed in which order.
func TestPlacesAreAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var entries slab
		places, want := newPlaces(&entries), map[[16]byte]ref{}
		numbers := rapid.Uint16Range(0, uint16(rapid.SampledFrom([]int{8, 1000}).Draw(t, "addresses")))
		for range rapid.IntRange(0, 500).Draw(t, "steps") {
			number := numbers.Draw(t, "address")
			address := [16]byte{byte(number >> 8), 15: byte(number)}
			if rapid.Bool().Draw(t, "remove") {
				places.remove(address)
				delete(want, address)
				continue
			}
			want[address] = entries.put(Record{address: address})
			places.set(address, want[address])
		}
		if places.count != len(want) {
			t.Errorf("%d places, want %d", places.count, len(want))
		}
		for number := range 1001 {
			address := [16]byte{byte(number >> 8), 15: byte(number)}
			if got := places.get(address); got != want[address] {
				t.Errorf("address %d: got %d, want %d", number, got, want[address])
			}
		}
	})
}

// TestSlotsAreUsedAgain: what goes makes room for what comes, so that a list that is renewed every day does not grow.
func TestSlotsAreUsedAgain(t *testing.T) {
	t.Parallel()
	a, same := newActive(), unique.Make(kind{})
	for round := range 50 {
		for id := range int64(1000) {
			a.add(Record{id: id, until: int64(round), kind: same, address: [16]byte{byte(id >> 8), byte(id)}})
		}
	}
	if used := a.entries.used; used > 4000 {
		t.Errorf("%d slots are used for 1000 entries", used)
	}
	for id := range int64(1000) {
		if _, ok := a.remove(id); !ok {
			t.Fatalf("%d is gone", id)
		}
	}
	if _, ok := a.nextEnd(); ok || a.byAddress.count != 0 || len(a.byID.refs) != 0 || len(a.byPartition) != 0 {
		t.Errorf("left: %d addresses, %d IDs, %d partitions", a.byAddress.count, len(a.byID.refs), len(a.byPartition))
	}
}
