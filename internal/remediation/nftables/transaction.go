package nftables

import (
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"shieldwall/internal/remediation"
)

// transaction collects commands and sends them together, as many as fit.
type transaction struct {
	send     func([]netlink.Message) error
	commands []netlink.Message
	points   int // in commands
}

// change adds what has to be done in one set. Every element that is to go, or to be refreshed, is first
// added, which changes nothing if it is there, so that the kernel does not refuse the whole transaction when
// one has just expired. Changes of ranges are kept together, because one may take the place of others;
// changes of addresses may be split: additions first, so that nothing is taken out of force by a half.
func (tx *transaction) change(t table, name string, change remediation.Change, now func() time.Time) error {
	list := func(command uint16, flags netlink.HeaderFlags, points []point) {
		for chunk := range slices.Chunk(points, elementsPerMessage) {
			tx.commands = append(tx.commands, elementList(t, command, flags, name, chunk))
		}
		tx.points += len(points)
	}
	add := func(elements []remediation.Element) {
		list(unix.NFT_MSG_NEWSETELEM, netlink.Create, lasting(change.Set, elements, now()))
	}
	remove := func(elements []remediation.Element) {
		list(unix.NFT_MSG_NEWSETELEM, netlink.Create, fleeting(change.Set, elements))
		list(unix.NFT_MSG_DELSETELEM, 0, fleeting(change.Set, elements))
	}
	if change.Set.Ranges {
		remove(slices.Concat(change.Remove, change.Refresh))
		add(slices.Concat(change.Refresh, change.Add))
		return nil
	}
	for _, step := range []struct {
		elements []remediation.Element
		perform  func([]remediation.Element)
	}{
		{change.Add, add},
		{change.Refresh, func(elements []remediation.Element) { remove(elements); add(elements) }},
		{change.Remove, remove},
	} {
		for chunk := range slices.Chunk(step.elements, elementsPerMessage) {
			if tx.points > maxPoints {
				if err := tx.commit(); err != nil {
					return err
				}
			}
			step.perform(chunk)
		}
	}
	return nil
}

// commit sends what was collected.
func (tx *transaction) commit() error {
	if len(tx.commands) == 0 {
		return nil
	}
	commands := tx.commands
	tx.commands, tx.points = nil, 0
	return tx.send(commands)
}

// lasting returns the points of elements with the time they have left; those that have none are left out.
func lasting(set remediation.Set, elements []remediation.Element, now time.Time) []point {
	list := make([]point, 0, pointsPerElement(set)*len(elements))
	for _, element := range elements {
		timeout := element.Until.Sub(now)
		switch {
		case element.Until.IsZero():
			list = append(list, points(set, element, 0)...)
		case timeout >= time.Millisecond:
			list = append(list, points(set, element, timeout)...)
		}
	}
	return list
}

// fleeting returns the points of elements that do not survive the transaction.
func fleeting(set remediation.Set, elements []remediation.Element) []point {
	list := make([]point, 0, pointsPerElement(set)*len(elements))
	for _, element := range elements {
		list = append(list, points(set, element, passing)...)
	}
	return list
}

func pointsPerElement(set remediation.Set) int {
	if set.Ranges {
		return 2
	}
	return 1
}
