package usage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/wire"
)

// Bouncer is what one bouncer has reported.
type Bouncer struct {
	Since  time.Time // of its oldest number
	Counts Counts
}

// Counts are numbers by origin, name and unit. What belongs to no origin has the origin "".
type Counts map[string]map[string]map[string]int64

// reading is one number of a bouncer.
type reading struct {
	at                          int64 // Unix seconds
	bouncer, origin, name, unit string
	ipType                      string
	value                       float64
}

// place is where readings are summed up.
type place struct{ bouncer, origin, name, unit, ipType string }

func (r *reading) place() place { return place{r.bouncer, r.origin, r.name, r.unit, r.ipType} }

// Bouncers sums up what bouncers have reported, by their names. Of a gauge the last value counts.
func Bouncers(reports []domain.UsageReport) map[string]Bouncer {
	sums := map[place]float64{}
	bouncers := map[string]Bouncer{}
	for _, r := range readings(reports) {
		if _, known := bouncers[r.bouncer]; !known { // the first one is the oldest
			bouncers[r.bouncer] = Bouncer{Since: time.Unix(r.at, 0).UTC(), Counts: Counts{}}
		}
		if isGauge(r.name) {
			sums[r.place()] = r.value
		} else {
			sums[r.place()] += r.value
		}
	}
	for at, sum := range sums {
		bouncers[at.bouncer].Counts.add(at, Whole(sum))
	}
	return bouncers
}

// readings returns every number once, the oldest first.
func readings(reports []domain.UsageReport) []reading {
	known := map[reading]bool{}
	var all []reading
	for i := range reports {
		if reports[i].Kind != domain.UsageRemediation {
			continue
		}
		for _, window := range wire.StoredUsage(reports[i].Payload) {
			for _, item := range window.Items {
				r := reading{
					at: window.Meta.UTCNowTimestamp, bouncer: reports[i].From, origin: item.Labels["origin"],
					name: item.Name, unit: item.Unit, ipType: item.Labels["ip_type"], value: item.Value,
				}
				if !known[r] {
					known[r] = true
					all = append(all, r)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b reading) int { return cmp.Compare(a.at, b.at) })
	return all
}

// gaugeSuffix marks numbers that are a state, not a count since the last report.
const gaugeSuffix = "_gauge"

func isGauge(name string) bool {
	return name == "active_decisions" || strings.HasSuffix(name, gaugeSuffix)
}

// BareName is the name of a metric for people.
func BareName(name string) string { return strings.TrimSuffix(name, gaugeSuffix) }

func (c Counts) add(at place, value int64) {
	if c[at.origin] == nil {
		c[at.origin] = map[string]map[string]int64{}
	}
	if c[at.origin][at.name] == nil {
		c[at.origin][at.name] = map[string]int64{}
	}
	c[at.origin][at.name][at.unit] += value
}
