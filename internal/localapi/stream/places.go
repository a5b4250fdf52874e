package stream

import "hash/maphash"

const fewestSlots = 64

// places finds the first of the entries about an address. It is a hash table of nothing but refs: a map would keep the
// addresses a second time.
type places struct {
	of    *slab
	seed  maphash.Seed
	slots []ref // a power of two of them, half of which are free at least; probed one after the other
	count int
}

func newPlaces(of *slab) places {
	return places{of: of, seed: maphash.MakeSeed(), slots: make([]ref, fewestSlots)}
}

// get returns the entry about an address, nobody without one.
func (p *places) get(address [16]byte) ref { return p.slots[p.find(address)] }

// set makes r the entry about an address.
func (p *places) set(address [16]byte, r ref) {
	slot := p.find(address)
	if p.slots[slot] == nobody {
		p.count++
	}
	p.slots[slot] = r
	if 2*p.count > len(p.slots) {
		p.grow()
	}
}

// find returns the slot of an address, or the one where it would be.
func (p *places) find(address [16]byte) int {
	slot := p.home(address)
	for p.slots[slot] != nobody && p.of.at(p.slots[slot]).address != address {
		slot = p.after(slot)
	}
	return slot
}

func (p *places) home(address [16]byte) int {
	return int(maphash.Comparable(p.seed, address) & uint64(len(p.slots)-1)) //nolint:gosec // below the length
}

func (p *places) after(slot int) int { return (slot + 1) & (len(p.slots) - 1) }

func (p *places) grow() {
	before := p.slots
	p.slots = make([]ref, 2*len(before))
	for _, r := range before {
		if r != nobody {
			p.slots[p.find(p.of.at(r).address)] = r
		}
	}
}

// remove forgets an address, and moves back those that had to make way for it.
func (p *places) remove(address [16]byte) {
	hole := p.find(address)
	if p.slots[hole] == nobody {
		return
	}
	p.count--
	for slot := p.after(hole); p.slots[slot] != nobody; slot = p.after(slot) {
		home := p.home(p.of.at(p.slots[slot]).address)
		if (slot-home)&(len(p.slots)-1) >= (slot-hole)&(len(p.slots)-1) {
			p.slots[hole], hole = p.slots[slot], slot
		}
	}
	p.slots[hole] = nobody
}
