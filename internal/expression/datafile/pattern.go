package datafile

import (
	"math/bits"
	"regexp"
	"regexp/syntax"
	"sync"

	"shieldwall/internal/expression/multimatch"
)

// patterns is a list of regular expressions. It is safe for concurrent use.
type patterns struct {
	all      []pattern
	always   marks           // those that may match any text; nil when there are none
	literals *multimatch.Set // of the others: every match contains one of the pattern's
	texts    []string        // the same
	owners   []int           // the number of the pattern, for each literal
	spare    sync.Pool       // of *marks, cleared
}

// pattern is a regular expression. It is compiled for the first text that it may match: most patterns never meet one.
type pattern struct {
	expr     string
	compiled sync.Once
	re       *regexp.Regexp
}

// marks has a bit for each pattern, by its number.
type marks []uint64

// draft is a list of patterns that grows.
type draft struct {
	exprs  []string
	always []int
	texts  []string
	owners []int
	fold   bool
}

// add appends an expression, which is left out if it is none.
func (d *draft) add(expr string) error {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return err
	}
	number := len(d.exprs)
	d.exprs = append(d.exprs, expr)
	texts, spelling := literalsOf(tree)
	if len(texts) == 0 {
		d.always = append(d.always, number)
	}
	for _, text := range texts {
		d.texts = append(d.texts, text)
		d.owners = append(d.owners, number)
	}
	d.fold = d.fold || spelling == folded // one such pattern makes the literals of all find a little more
	return nil
}

// finish returns the patterns, in the order in which they were added.
func (d *draft) finish() *patterns {
	p := &patterns{all: make([]pattern, len(d.exprs)), literals: multimatch.New(d.texts, d.fold), texts: d.texts, owners: d.owners}
	for i, expr := range d.exprs {
		p.all[i].expr = expr
	}
	if len(d.always) > 0 {
		p.always = p.unmarked()
		for _, number := range d.always {
			p.always.set(number)
		}
	}
	return p
}

// first returns the number of the first pattern that matches somewhere in text, -1 when none does.
func (p *patterns) first(text string) int {
	candidates := p.candidates(text)
	if candidates == nil {
		return -1
	}
	defer p.giveBack(candidates)
	return p.firstOf(*candidates, text)
}

// candidates marks the patterns that may match text, nil when none may. The caller gives the marks back.
func (p *patterns) candidates(text string) *marks {
	var candidates *marks
	if p.always != nil {
		candidates = p.borrow()
		copy(*candidates, p.always)
	}
	p.literals.Each(text, func(literal int) bool {
		if candidates == nil {
			candidates = p.borrow()
		}
		candidates.set(p.owners[literal])
		return true
	})
	return candidates
}

func (p *patterns) firstOf(candidates marks, text string) int {
	for i, word := range candidates {
		for ; word != 0; word &= word - 1 {
			number := i*64 + bits.TrailingZeros64(word)
			if p.all[number].match(text) {
				return number
			}
		}
	}
	return -1
}

func (p *patterns) borrow() *marks {
	if cleared, ok := p.spare.Get().(*marks); ok {
		return cleared
	}
	unmarked := p.unmarked()
	return &unmarked
}

func (p *patterns) unmarked() marks { return make(marks, (len(p.all)+63)/64) }

func (m marks) set(number int) { m[number/64] |= 1 << (number % 64) }

func (p *patterns) giveBack(used *marks) {
	clear(*used)
	p.spare.Put(used)
}

func (p *pattern) match(text string) bool {
	p.compiled.Do(func() { p.re = regexp.MustCompile(p.expr) }) // what add parsed compiles
	return p.re.MatchString(text)
}
