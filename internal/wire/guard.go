package wire

import (
	"bytes"
	"io"

	"shieldwall/internal/domain/fault"
)

// The bounds of a body, beyond its size. No published client comes near them: 50 MiB hold fewer than
// 500,000 decisions, and the smallest element that means anything is a target with its quotes and comma.
const (
	maxDepth       = 64
	maxElements    = 500_000 // values in all arrays of a body together
	freeElements   = 5000    // that may be of any size
	bytesOfElement = 8       // that the others have on average, at least
)

// guard passes JSON on until it is nested too deeply, or has too many array elements, or too many for its
// size, so that a small body cannot become a large value in memory. It knows just enough of JSON for that;
// whether what it lets through is JSON is for the decoder to say.
type guard struct {
	r        io.Reader
	kinds    [maxDepth]bool // of the open containers: is it an array?
	depth    int
	elements int
	bytes    int64
	begun    bool // something of the innermost array's next element was seen
	inText   bool
	escaped  bool
	err      error
}

// Read implements io.Reader.
func (g *guard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.r.Read(p)
	for at := 0; at < n; at++ {
		at += g.skip(p[at:n])
		if at == n {
			break
		}
		if g.err = g.see(p[at]); g.err != nil {
			return 0, g.err
		}
	}
	return n, err
}

// lookAhead bounds how far the end of a text is looked for, as what is found of it may have to be looked at again.
const lookAhead = 128

// skip passes over what is inside a text, which is most of a body, and returns how much that is.
func (g *guard) skip(p []byte) int {
	if !g.inText || g.escaped {
		return 0
	}
	p = p[:min(len(p), lookAhead)]
	for _, special := range []byte{'"', '\\'} {
		if end := bytes.IndexByte(p, special); end >= 0 {
			p = p[:end]
		}
	}
	g.bytes += int64(len(p))
	return len(p)
}

func (g *guard) see(b byte) error {
	g.bytes++
	if g.inText {
		g.text(b)
		return nil
	}
	switch b {
	case ' ', '\t', '\r', '\n', ':':
		return nil
	case '{', '[':
		return g.open(b == '[')
	case '}', ']':
		if g.depth > 0 {
			g.depth--
		}
		g.begun = true
		return nil
	case ',':
		g.begun = false
		return nil
	case '"':
		g.inText = true
	}
	return g.value()
}

func (g *guard) text(b byte) {
	switch {
	case g.escaped:
		g.escaped = false
	case b == '\\':
		g.escaped = true
	case b == '"':
		g.inText = false
	}
}

func (g *guard) open(array bool) error {
	if err := g.value(); err != nil {
		return err
	}
	if g.depth == maxDepth {
		return fault.Errorf(fault.Invalid, "the body is nested more than %d levels deep", maxDepth)
	}
	g.kinds[g.depth] = array
	g.depth++
	g.begun = false
	return nil
}

// value counts what begins now, if it is an element of an array.
func (g *guard) value() error {
	if g.begun || g.depth == 0 || !g.kinds[g.depth-1] {
		return nil
	}
	g.begun = true
	if g.elements++; g.elements > maxElements {
		return fault.Errorf(fault.Invalid, "the arrays of the body have more than %d elements", maxElements)
	}
	if int64(g.elements-freeElements)*bytesOfElement > g.bytes {
		return fault.Errorf(fault.Invalid, "the arrays of the body consist of next to nothing")
	}
	return nil
}
