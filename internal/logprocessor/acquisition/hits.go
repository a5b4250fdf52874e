package acquisition

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// RegisterHits returns the counter of lines read with a published name, which all sources of a kind and all reloads of
// one registry share. Its labels are source, datasource_type and acquis_type. Without a registry it counts for nobody.
func RegisterHits(registry prometheus.Registerer, name string) (*prometheus.CounterVec, error) {
	hits := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: name,
		Help: "Total lines that were read.",
	}, []string{"source", "datasource_type", "acquis_type"})
	if registry == nil {
		return hits, nil
	}
	err := registry.Register(hits)
	var registered prometheus.AlreadyRegisteredError
	if errors.As(err, &registered) {
		if shared, ok := registered.ExistingCollector.(*prometheus.CounterVec); ok {
			return shared, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	return hits, nil
}
