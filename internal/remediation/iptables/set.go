package iptables

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/remediation"
)

const (
	// longest is the longest timeout of an element in seconds.
	longest = 2147483
	// defaultTimeout is that of elements that others add without one, in seconds, as published.
	defaultTimeout = 300
	// rounded is added to what is left of an element, which the kernel tells in whole seconds, rounded down.
	rounded = time.Second / 2
)

// set is a set with its elements as the kernel has it.
type set struct {
	networks bool // of the right family, and of a type that holds networks
	timeless bool // elements do not end
	most     int  // elements that fit
	elements remediation.Elements
}

// parseSet reads what ipset save printed of one set between two times. Each line tells what is left as of when it was
// printed, and printing a large set takes seconds.
func parseSet(text []byte, family string, began, ended time.Time) (set, error) {
	s := set{timeless: true, elements: remediation.Elements{}}
	pace := ended.Sub(began) / time.Duration(bytes.Count(text, []byte("\n"))+1)
	now := began
	for line := range bytes.Lines(text) {
		now = now.Add(pace)
		words := strings.Fields(string(line))
		switch {
		case len(words) > 2 && words[0] == "create":
			s.head(words[2:], family)
		case len(words) > 2 && words[0] == "add":
			if err := s.add(words[2:], now); err != nil {
				return set{}, fmt.Errorf("line %q: %w", line, err)
			}
		}
	}
	return s, nil
}

// head reads "hash:net family inet … maxelem 131072 timeout 300".
func (s *set) head(words []string, family string) {
	s.networks = words[0] == "hash:net"
	for i := 1; i+1 < len(words); i++ {
		switch words[i] {
		case "family":
			s.networks = s.networks && words[i+1] == family
		case "maxelem":
			s.most, _ = strconv.Atoi(words[i+1])
		case "timeout":
			s.timeless = false
		}
	}
}

// add reads "192.0.2.0/24 timeout 299".
func (s *set) add(words []string, now time.Time) error {
	value, err := domain.ParseIPRange(words[0])
	if err != nil {
		return err
	}
	var until time.Time
	for i := 1; i+1 < len(words); i++ {
		if words[i] != "timeout" {
			continue
		}
		seconds, err := strconv.ParseUint(words[i+1], 10, 31)
		if err != nil {
			return err
		}
		if seconds > 0 {
			until = now.Add(time.Duration(seconds)*time.Second + rounded)
		}
	}
	s.elements[value] = until
	return nil
}

// script collects commands for ipset restore.
type script struct {
	bytes.Buffer
}

func (s *script) command(words ...string) {
	fmt.Fprintln(s, strings.Join(words, " ")) //nolint:errcheck // a buffer takes everything
}

func (s *script) create(name string, config Config, family string, most int) {
	words := []string{"create", name, config.SetType, "family", family, "maxelem", strconv.Itoa(most)}
	if !config.Timeless {
		words = append(words, "timeout", strconv.Itoa(defaultTimeout))
	}
	s.command(words...)
}

// add adds elements, or gives those that are there another end. What has no time left is left out.
func (s *script) add(name string, elements []remediation.Element, timeless bool, now time.Time) {
	line := make([]byte, 0, 80) //nolint:mnd // bytes
	for _, element := range elements {
		seconds := secondsLeft(element.Until, now)
		if seconds < 0 {
			continue
		}
		line = append(append(append(line[:0], "add "...), name...), ' ')
		line = append(line, remediation.Text(element.IPRange)...)
		if !timeless {
			line = strconv.AppendInt(append(line, " timeout "...), seconds, 10)
		}
		_, _ = s.Write(append(line, " -exist\n"...)) // a buffer takes everything
	}
}

// secondsLeft rounds up, so that nothing ends early. 0 stands for never, negative for none left.
func secondsLeft(until, now time.Time) int64 {
	if until.IsZero() {
		return 0
	}
	left := until.Sub(now)
	if left <= 0 {
		return -1
	}
	return min(int64((left+time.Second-1)/time.Second), longest)
}

func (s *script) remove(name string, elements []remediation.Element) {
	for _, element := range elements {
		s.command("del", name, remediation.Text(element.IPRange), "-exist")
	}
}
