package metrics

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const (
	fetchTimeout = 30 * time.Second
	maxPage      = 256 << 20 // bytes of a page of metrics
)

// samples are the numbers of a page of metrics, by family.
type samples map[string][]sample

type sample struct {
	labels map[string]string
	value  float64
}

// fetch reads the page of metrics at url.
func fetch(ctx context.Context, url string) (samples, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: fetchTimeout}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %q: %s", url, response.Status)
	}
	return parse(io.LimitReader(response.Body, maxPage))
}

func parse(page io.Reader) (samples, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(page)
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	all := samples{}
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			all[name] = append(all[name], sample{labels, valueOf(metric)})
		}
	}
	return all, nil
}

// valueOf is the number of a counter, a gauge or what has no type; others have none.
func valueOf(metric *dto.Metric) float64 {
	return metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + metric.GetUntyped().GetValue()
}
