package enrich

import (
	"context"
	"net/netip"
	"time"

	"shieldwall/internal/logprocessor/event"
)

// nameTimeout is published. The resolver may give up earlier, so that name servers do not hold up events.
const nameTimeout = 3 * time.Second

// Resolver tells the names of an address. It should remember them: rules ask for the same again and again.
type Resolver interface {
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// namer is the method reverse_dns.
type namer struct {
	resolver Resolver // nil: no address has a name
}

func (n namer) enrich(text string, evt *event.Event) error {
	addr, err := netip.ParseAddr(text)
	if err != nil || n.resolver == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), nameTimeout)
	defer cancel()
	names, err := n.resolver.LookupAddr(ctx, addr.Unmap().WithZone("").String())
	if err != nil || len(names) == 0 {
		return err
	}
	event.EnrichedField("reverse_dns").Set(evt, names[0])
	return nil
}
