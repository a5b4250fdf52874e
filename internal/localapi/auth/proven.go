package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const provenMax = 4096 // machines whose password is remembered as proven

// proven remembers with which password a machine has logged in, so that who comes again pays no bcrypt: it guards what
// is stored, and a login that it has found right once stays right for as long as the stored hash is the same.
//
// What is kept is an HMAC of that hash and the password, under a key that lives and dies with this process. It holds no
// password and, without the key, nothing to try passwords on. Nothing has to be forgotten in time: every login reads
// the machine from the store first, and a hash that is another, or gone, makes another HMAC. Passwords that are wrong
// leave no trace, and cost a bcrypt each time, as does a machine that nobody knows. See ADR 16.
type proven struct {
	key [sha256.Size]byte

	mu        sync.Mutex // guards byMachine
	byMachine *simplelru.LRU[string, proof]
}

// proof stands for a password and the stored hash that it has been compared with.
type proof [sha256.Size]byte

func newProven() (*proven, error) {
	lru, err := simplelru.NewLRU[string, proof](provenMax, nil)
	if err != nil {
		return nil, err
	}
	p := &proven{byMachine: lru}
	_, err = rand.Read(p.key[:])
	return p, err
}

// proofOf is different for every hash and every password.
func (p *proven) proofOf(hash, password string) (of proof) {
	mac := hmac.New(sha256.New, p.key[:])
	_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(hash)))) // so that nothing can move from one text to the other
	_, _ = mac.Write([]byte(hash))
	_, _ = mac.Write([]byte(password))
	mac.Sum(of[:0])
	return of
}

// holds reports whether machine has proven just that.
func (p *proven) holds(machine string, shown proof) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.byMachine.Get(machine)
	return ok && hmac.Equal(known[:], shown[:])
}

// keep remembers what machine has proven, in place of what it had.
func (p *proven) keep(machine string, shown proof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byMachine.Add(machine, shown)
}
