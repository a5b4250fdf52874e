package doctor

import (
	"fmt"
	"strings"
	"time"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
)

// state is what became of a hop.
type state string

const (
	proven  state = "ok"
	failed  state = "failed"
	absent  state = "absent"  // there is nothing to look at
	unseen  state = "unseen"  // it may work, but cannot be looked at from here
	skipped state = "skipped" // a hop before it failed
)

// hop is one step of the attacker's way.
type hop struct {
	Name   string  `json:"hop"`
	State  state   `json:"state"`
	Millis float64 `json:"milliseconds"`
	Detail string  `json:"detail,omitempty"` // what was seen, or why it failed
	Advice string  `json:"advice,omitempty"` // what to do about it
}

// report is the outcome of an examination.
type report struct {
	Address string `json:"address,omitempty"`
	Proven  bool   `json:"proven"` // every hop that is expected
	Failed  string `json:"failed_hop,omitempty"`
	Hops    []hop  `json:"hops"`
}

// add takes down a hop that began at a time.
func (r *report) add(name string, began, ended time.Time, f finding) {
	const perMilli = float64(time.Millisecond)
	r.Hops = append(r.Hops, hop{
		Name: name, State: f.state, Millis: float64(ended.Sub(began).Round(time.Microsecond)) / perMilli, Detail: f.detail, Advice: f.advice,
	})
	if f.state == failed && r.Failed == "" {
		r.Failed = name
	}
}

func (r *report) print(s *session.Session) error {
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(r)
	case session.Raw:
		rows := make([][]string, len(r.Hops))
		for i, h := range r.Hops {
			rows[i] = []string{h.Name, string(h.State), fmt.Sprintf("%.1f", h.Millis), h.Detail, h.Advice}
		}
		return s.PrintCSV([]string{"hop", "state", "milliseconds", "detail", "advice"}, rows)
	case session.Human:
	}
	t := table.Light(s.Fancy)
	t.Header("Hop", "State", "Time", "Detail")
	var advice strings.Builder
	for _, h := range r.Hops {
		t.Row(h.Name, h.mark(), fmt.Sprintf("%.1f ms", h.Millis), h.Detail)
		if h.Advice != "" {
			advice.WriteString("\n" + h.Name + ": " + h.Advice + "\n")
		}
	}
	if err := s.PrintTables(t); err != nil {
		return err
	}
	return s.Print(advice.String())
}

func (h hop) mark() string {
	switch h.State {
	case proven:
		return table.Check
	case failed:
		return table.Prohibited + " failed"
	case absent, unseen:
		return table.Warning + " " + string(h.State)
	case skipped:
	}
	return string(h.State)
}
