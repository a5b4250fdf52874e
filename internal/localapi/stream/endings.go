package stream

// endings is a heap of entries, the one that ends first on top. Entries know their places in it.
type endings struct {
	of   *slab
	refs []ref
}

func (h *endings) push(r ref) {
	h.refs = append(h.refs, r)
	h.rise(len(h.refs) - 1)
}

func (h *endings) remove(r ref) {
	hole, last := int(h.of.at(r).inHeap), len(h.refs)-1
	moved := h.refs[last]
	h.refs = h.refs[:last]
	if hole == last {
		return
	}
	h.set(hole, moved)
	h.sink(hole)
	h.rise(int(h.of.at(moved).inHeap))
}

func (h *endings) set(at int, r ref) {
	h.refs[at] = r
	h.of.at(r).inHeap = uint32(at) //nolint:gosec // as many as there are refs
}

func (h *endings) until(at int) int64 { return h.of.at(h.refs[at]).until }

// rise moves an entry up until nothing above it ends later.
func (h *endings) rise(at int) {
	moved := h.refs[at]
	until := h.of.at(moved).until
	for at > 0 {
		above := (at - 1) / 2
		if h.until(above) <= until {
			break
		}
		h.set(at, h.refs[above])
		at = above
	}
	h.set(at, moved)
}

// sink moves an entry down until nothing below it ends earlier.
func (h *endings) sink(at int) {
	moved := h.refs[at]
	until := h.of.at(moved).until
	for {
		below := 2*at + 1
		if below >= len(h.refs) {
			break
		}
		if below+1 < len(h.refs) && h.until(below+1) < h.until(below) {
			below++
		}
		if until <= h.until(below) {
			break
		}
		h.set(at, h.refs[below])
		at = below
	}
	h.set(at, moved)
}
