package corpus

import (
	"encoding/binary"
	"math/bits"
)

// The constants of MT19937, by the names that M. Matsumoto and T. Nishimura give them in "Mersenne Twister:
// a 623-dimensionally equidistributed uniform pseudo-random number generator" (1998).
const (
	twisterN  = 624
	twisterM  = 397
	matrixA   = 0x9908b0df
	upperMask = 0x80000000
	lowerMask = 0x7fffffff
)

// random draws what Python's random.Random draws: the Mersenne Twister, seeded with a number of any size as
// an array of its 32-bit digits, and the ways from its words to a choice that Python documents or shows.
type random struct {
	state [twisterN]uint32
	next  int // index of the next word of state to hand out
}

func newRandom(seed uint64) *random {
	r := &random{}
	digits := []uint32{uint32(seed)} //nolint:gosec // the lower digit is what is meant
	if high := uint32(seed >> 32); high != 0 {
		digits = append(digits, high)
	}
	r.seed(digits)
	return r
}

// seed is the initialisation by array that the authors added to their generator in 2002.
func (r *random) seed(key []uint32) {
	s := &r.state
	s[0] = 19650218
	for i := 1; i < twisterN; i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + uint32(i)
	}
	i, j := 1, 0
	forward := func() {
		if i++; i == twisterN {
			s[0], i = s[twisterN-1], 1
		}
	}
	for range max(twisterN, len(key)) {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + key[j] + uint32(j)
		j = (j + 1) % len(key)
		forward()
	}
	for range twisterN - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		forward()
	}
	s[0] = upperMask
	r.next = twisterN
}

// word returns the next 32 bits.
func (r *random) word() uint32 {
	if r.next == twisterN {
		r.twist()
	}
	y := r.state[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (r *random) twist() {
	s := &r.state
	for i := range s {
		y := s[i]&upperMask | s[(i+1)%twisterN]&lowerMask
		s[i] = s[(i+twisterM)%twisterN] ^ y>>1 ^ y&1*matrixA
	}
	r.next = 0
}

// float returns a number of [0, 1) with 53 random bits, as random() does.
func (r *random) float() float64 {
	high, low := r.word()>>5, r.word()>>6
	return (float64(high)*(1<<26) + float64(low)) / (1 << 53)
}

// below returns a number of [0, n), as randrange(n) and the index of choice() do. n is 1 to 2³¹.
func (r *random) below(n int) int {
	unused := 32 - bits.Len(uint(n))
	for {
		if drawn := int(r.word() >> unused); drawn < n {
			return drawn
		}
	}
}

// between returns a number of [from, to), as randrange(from, to) does.
func (r *random) between(from, to int) int { return from + r.below(to-from) }

// bits200 returns getrandbits(200), most significant byte first.
func (r *random) bits200() (number [25]byte) {
	for end := len(number); end > 0; end -= 4 {
		word := r.word()
		if end < 4 {
			number[0] = byte(word >> 24) // the last eight bits are the upper ones of a word
			break
		}
		binary.BigEndian.PutUint32(number[end-4:end], word)
	}
	return number
}

// pick returns one of the elements, as choice() does.
func pick[T any](r *random, from []T) T { return from[r.below(len(from))] }
