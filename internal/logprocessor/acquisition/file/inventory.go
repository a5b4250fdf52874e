package file

import (
	"fmt"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"shieldwall/internal/logprocessor/acquisition/checkpoint"
)

// maxRemembered bounds the files whose end of reading is remembered after nobody reads them any more.
const maxRemembered = 16 << 10

// inventory knows the files of one source by identity, whatever their names are: which are being read, and
// how far the others were read. It keeps a file that a rotation moved to another selected name from being
// read twice. It is safe for concurrent use.
type inventory struct {
	mu     sync.Mutex
	owners map[identity]*tail
	known  *simplelru.LRU[identity, place]
}

func newInventory(stops map[string]checkpoint.Stop[place], now time.Time) (*inventory, error) {
	known, err := simplelru.NewLRU[identity, place](maxRemembered, nil)
	if err != nil {
		return nil, fmt.Errorf("making inventory: %w", err)
	}
	for _, stop := range stops {
		p := resumed(stop, now)
		if older, ok := known.Get(p.identity); !ok || older.Offset < p.Offset {
			known.Add(p.identity, p)
		}
	}
	return &inventory{owners: map[identity]*tail{}, known: known}, nil
}

// claim gives a file to a tail and returns where to begin: where reading stopped before, the start when the
// file was rewritten since, or unknown when nobody has read it. It is false while another tail reads it.
func (i *inventory) claim(owner *tail, file *os.File, unknown place) (place, bool, error) {
	info, err := file.Stat()
	if err != nil {
		return place{}, false, err
	}
	previous, known, ok := i.own(owner, identityOf(info))
	if !ok || !known {
		return unknown, ok, nil
	}
	same, err := previous.isIn(file)
	if err != nil || !same {
		return place{Backlog: previous.Backlog}, true, err
	}
	return previous, true, nil
}

func (i *inventory) own(owner *tail, id identity) (previous place, known, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if holder := i.owners[id]; holder != nil && holder != owner {
		return place{}, false, false
	}
	i.owners[id] = owner
	previous, known = i.known.Get(id)
	return previous, known, true
}

// leave gives everything back that a tail still holds.
func (i *inventory) leave(owner *tail) {
	i.mu.Lock()
	defer i.mu.Unlock()
	maps.DeleteFunc(i.owners, func(_ identity, holder *tail) bool { return holder == owner })
}

// release gives a file back after it was read up to a place.
func (i *inventory) release(owner *tail, p place) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.owners[p.identity] == owner {
		delete(i.owners, p.identity)
		i.known.Add(p.identity, p)
	}
}
