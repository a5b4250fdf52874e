package localapiclient

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Collector tells which URLs of a Local API work and which one is used.
type Collector struct {
	client                    *Client
	inUse, healthy, failovers *prometheus.Desc
}

// NewCollector returns a Collector to register.
func NewCollector(client *Client) *Collector {
	return &Collector{
		client:    client,
		inUse:     prometheus.NewDesc("lapi_endpoint_active", "Whether requests go to this URL of the Local API.", []string{"url"}, nil),
		healthy:   prometheus.NewDesc("lapi_endpoint_healthy", "Whether the last request to this URL of the Local API was answered; 1 before the first.", []string{"url"}, nil),
		failovers: prometheus.NewDesc("lapi_failovers_total", "How often another URL was used because the one in use failed.", nil, nil),
	}
}

// Describe sends the descriptions of all metrics.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	to <- c.inUse
	to <- c.healthy
	to <- c.failovers
}

// Collect sends the metrics as they are now.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	c.client.mu.Lock()
	defer c.client.mu.Unlock()
	gauge := func(desc *prometheus.Desc, is bool, url string) {
		value := 0.0
		if is {
			value = 1
		}
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, url)
	}
	choice := &c.client.choice
	for i, e := range c.client.endpoints {
		gauge(c.inUse, i == choice.active, e.name)
		gauge(c.healthy, choice.known[i].failures == 0, e.name)
	}
	to <- prometheus.MustNewConstMetric(c.failovers, prometheus.CounterValue, float64(choice.failovers))
}
