package corpus

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Kind is what a log is of.
type Kind string

const (
	// Nginx is an access log in the combined format: ordinary browsing, and about one request in a hundred
	// of somebody who looks for holes.
	Nginx Kind = "nginx"
	// SSHD is a syslog of OpenSSH and its neighbours; three lines in ten are failed logins.
	SSHD Kind = "sshd"
	// Mix has a line of SSHD and one of Nginx in turns.
	Mix Kind = "mix"
)

// linesPerSecond is how dense a log is.
const linesPerSecond = 50

// writer is a log that is being written.
type writer struct {
	random          *random
	friends, foes   *population
	at              time.Time
	combined, stamp string // at, as nginx and syslog write it
	web             web
	users           []string // that log in, or try to
	line            []byte
}

// Write writes a log of so many lines. The same arguments write the same bytes.
func Write(to io.Writer, kind Kind, lines int, seed uint32) error {
	w := newWriter(seed)
	out := bufio.NewWriterSize(to, 1<<16)
	for i := range lines {
		if i%linesPerSecond == 0 {
			w.tick()
		}
		w.line = w.line[:0]
		switch {
		case kind == Nginx, kind == Mix && i%2 == 1:
			w.nginx()
		case kind == SSHD, kind == Mix:
			w.sshd()
		default:
			return fmt.Errorf("there is no log of kind %q: nginx, sshd or mix", kind)
		}
		if _, err := out.Write(append(w.line, '\n')); err != nil {
			return fmt.Errorf("writing a log: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing a log: %w", err)
	}
	return nil
}

func newWriter(seed uint32) *writer {
	return &writer{
		random:  newRandom(uint64(seed)),
		friends: newPopulation(seed, 0, 20_000),
		foes:    newPopulation(seed, 100_000, 400),
		at:      time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC),
		web:     newWeb(),
		users:   users(),
	}
}

// population is a group of clients. A client has the same address in every log of a seed.
type population struct {
	seed      uint32
	first     int
	addresses []string // "" until it is asked for
}

func newPopulation(seed uint32, first, size int) *population {
	return &population{seed: seed, first: first, addresses: make([]string, size)}
}

func (p *population) address(client int) string {
	if p.addresses[client] == "" {
		r := newRandom(uint64(p.seed)*1_000_003 + uint64(p.first+client)) //nolint:gosec // both are positive
		networks := []int{23, 45, 62, 81, 91, 103, 141, 176, 185, 193, 203}
		p.addresses[client] = fmt.Sprintf("%d.%d.%d.%d", pick(r, networks), r.between(1, 255), r.between(1, 255), r.between(1, 255))
	}
	return p.addresses[client]
}

func (w *writer) tick() {
	w.at = w.at.Add(time.Second)
	w.combined, w.stamp = w.at.Format("02/Jan/2006:15:04:05 -0700"), w.at.Format(time.Stamp)
}

// client returns the address of one of a population in which a few are much busier than the rest.
func (w *writer) client(of *population) string {
	x := w.random.float()
	return of.address(int(float64(len(of.addresses)) * (x * x * x)))
}

// text adds texts to the line. It returns w, for the number that comes next.
func (w *writer) text(texts ...string) *writer {
	for _, text := range texts {
		w.line = append(w.line, text...)
	}
	return w
}

func (w *writer) number(n int) { w.line = strconv.AppendInt(w.line, int64(n), 10) }
