package hubtest

import (
	"fmt"
	"io"
	"strings"

	"shieldwall/internal/hub/hubtest"
)

// lines announces every test on a line of its own.
type lines struct{ out io.Writer }

func (l lines) Started(name string) { _, _ = fmt.Fprintf(l.out, "Running test '%s'\n", name) }

func (l lines) Finished(hubtest.Result) {}

// silence announces nothing: the result is for a program.
type silence struct{}

func (silence) Started(string) {}

func (silence) Finished(hubtest.Result) {}

const (
	barWidth  = 30
	nameWidth = 32
	eraseLine = "\r\x1b[K"
)

// bar draws on one line of a terminal how far a run is.
type bar struct {
	out    io.Writer
	total  int
	done   int
	failed int
}

func (b *bar) Started(name string) { b.draw(name) }

func (b *bar) Finished(result hubtest.Result) {
	b.done++
	if !result.Passed() {
		b.failed++
	}
	if b.done == b.total {
		_, _ = io.WriteString(b.out, eraseLine)
		return
	}
	b.draw(result.Name)
}

func (b *bar) draw(name string) {
	filled := barWidth * b.done / b.total
	line := fmt.Sprintf("%s[%s%s] %d/%d", eraseLine, strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), b.done, b.total)
	if b.failed > 0 {
		line += fmt.Sprintf(", %d failed", b.failed)
	}
	_, _ = io.WriteString(b.out, line+fmt.Sprintf(" %.*s", nameWidth, name))
}
