package expression

import (
	"net/netip"
	"slices"

	"shieldwall/internal/expression/datafile"
)

func (l *Library) botHelpers() []helper {
	const name = "MatchKnownBot"
	return []helper{newHelper(name, func(args ...any) (any, error) {
		texts := make([]string, len(args))
		for i := range args {
			text, err := argument[string](name, args, i)
			if err != nil {
				return nil, err
			}
			texts[i] = text
		}
		return l.matchKnownBot(texts[0], texts[1], texts[2], texts[3:]...), nil
	}, l.matchKnownBot)}
}

// matchKnownBot reports whether any of the files vouches for the visitor.
func (l *Library) matchKnownBot(address, userAgent, path string, files ...string) bool {
	addr, ok := parseAddr(address)
	if !ok {
		return false
	}
	visit := datafile.Visit{Addr: addr, UserAgent: userAgent, Path: path}
	return slices.ContainsFunc(files, func(name string) bool {
		bots, ok := l.data.Bots(name)
		if !ok {
			l.reportNoFile(name, "bots")
			return false
		}
		return bots.Match(visit, func() []string { return l.confirmedNames(addr) })
	})
}

// confirmedNames returns the names of an address that lead back to it. Anybody can give an address any
// name, but only the owner of a domain can give its names addresses.
func (l *Library) confirmedNames(addr netip.Addr) []string {
	addr = addr.Unmap()
	names, err := l.ask(Resolver.LookupAddr, addr.String())
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !slices.ContainsFunc(l.lookUpHost(name), func(text string) bool {
			back, ok := parseAddr(text)
			return ok && back.Unmap() == addr
		})
	})
}
