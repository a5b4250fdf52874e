package multimatch

import "math/bits"

// commonBytes are the bytes that are frequent in logs, the most frequent first. All others are rare.
const commonBytes = " e01t2as:ino-r.34l56d789cumpgh/fby=\"_,kvwx[]()"

// ordinary is what logs are full of: windows that are in it would be met in every other line.
const ordinary = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1 Safari/537.36 " +
	"Edg/1 (Macintosh; Intel Mac OS X 10_15_7) Version/1 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 " +
	"(X11; Ubuntu; Linux x86_64; rv:12) Gecko/20100101 Firefox/ (Linux; Android 1; K) (compatible; bot/2.1; " +
	"+http://www. https://www. .com/ .html) GET /index.php?id= POST /api/v1/ HTTP/1.1 HTTP/2.0 /images/ /static/ .css .js " +
	".png /blog/post /product/ /search?q= &page= /assets/ /login /wp-content/ /favicon.ico /about user from port session for root invalid password error failed client server request connection host"

// What a window costs that another literal has, or ordinary text: as much as so many ranks of a byte.
const (
	shared = 16
	met    = 200
)

// chooser chooses windows of literals. It counts who has a window, roughly: windows share a counter now and then.
type chooser struct {
	index  *index
	shift  uint
	owners []uint32
	common [256]int // how common a byte is; 0 for rare ones
	costs  []int    // of the windows of one literal
}

// choose returns the windows of all literals: of each as many in a row as a step is long, where they are the rarest.
func (x *index) choose() []place {
	places := make([]place, 0, len(x.literals)*x.step)
	const slack, fewest, most = 2, 10, 20
	size := min(max(fewest, uint(bits.Len(uint(cap(places))))+slack), most)
	c := &chooser{index: x, shift: 64 - size, owners: make([]uint32, 1<<size)}
	for rank := range len(commonBytes) {
		c.common[commonBytes[rank]] = len(commonBytes) - rank
	}
	for at := range len(ordinary) - x.width + 1 {
		*c.owner(ordinary, at) += met
	}
	for i := range x.literals {
		text := x.literals[i].text
		first := c.rarest(text)
		for offset := first; offset < first+x.step; offset++ {
			*c.owner(text, offset) += shared
			places = append(places, place{window: x.window(text, offset), literal: int32(i), offset: int32(offset)}) //nolint:gosec // a literal is shorter
		}
	}
	return places
}

// rarest returns where in a literal the run of windows begins that is the least likely to be met: a window that other
// literals have costs their comparison, one of common bytes is found in vain.
func (c *chooser) rarest(text string) int {
	width, step := c.index.width, c.index.step
	best, least, run := 0, -1, 0
	c.costs = c.costs[:0]
	for i := range len(text) - width + 1 {
		cost := c.cost(text, i)
		c.costs = append(c.costs, cost)
		run += cost
		if i >= step {
			run -= c.costs[i-step]
		}
		if first := i + 1 - step; first >= 0 && (least < 0 || run < least) {
			best, least = first, run
		}
	}
	return best
}

func (c *chooser) cost(text string, at int) int {
	cost := int(*c.owner(text, at))
	for i := range c.index.width {
		cost += c.common[text[at+i]]
	}
	return cost
}

// owner returns the counter of the window of text at a place.
func (c *chooser) owner(text string, at int) *uint32 {
	return &c.owners[c.index.window(text, at)*spread>>(c.shift%64)]
}
