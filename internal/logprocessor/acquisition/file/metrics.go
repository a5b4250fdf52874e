package file

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// registerHits returns the counter of lines read, which all file sources and all reloads of one registry
// share. Without a registry it counts for nobody.
func registerHits(registry prometheus.Registerer) (*prometheus.CounterVec, error) {
	hits := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cs_filesource_hits_total",
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
		return nil, fmt.Errorf("registering metrics of file sources: %w", err)
	}
	return hits, nil
}
