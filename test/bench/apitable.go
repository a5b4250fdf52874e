package main

import (
	"fmt"
	"strings"
	"time"
)

// apiRow is one line of the table of the Local API.
type apiRow struct {
	Work      string  `json:"work"`
	Target    *target `json:"target,omitempty"`
	Ours      figure  `json:"ours"`
	Server    *figure `json:"server,omitempty"`    // processor time of the Local API for one of Unit
	Generator *figure `json:"generator,omitempty"` // of who asked
	Unit      string  `json:"unit,omitempty"`
	Met       string  `json:"met"`
}

// apiSeries collects what runs of the same work have given.
type apiSeries struct {
	ours, server, generator []float64
}

// add notes a run: its figure, and what each of so many units has cost.
func (s *apiSeries) add(ours float64, work apiWork, units int) {
	s.ours = append(s.ours, ours)
	s.server = append(s.server, microseconds(work.server)/float64(units))
	s.generator = append(s.generator, microseconds(work.generator)/float64(units))
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// row is the line of the series: work in unit, with the cost of one of.
func (s *apiSeries) row(work, unit, of string, limit *target) apiRow {
	server, generator := median("µs", s.server), median("µs", s.generator)
	return apiRow{Work: work, Target: limit, Ours: median(unit, s.ours), Server: &server, Generator: &generator, Unit: of}
}

// addAPI completes a row of the Local API and adds it to its table.
func (r *report) addAPI(line apiRow) {
	judged := row{Target: line.Target, Ours: line.Ours}
	line.Met = judged.verdict()
	r.LocalAPI = append(r.LocalAPI, line)
}

// apiMarkdown writes the table of the Local API, nothing when it is empty.
func (r *report) apiMarkdown() string {
	if len(r.LocalAPI) == 0 {
		return ""
	}
	table := [][]string{{"Local API", "target", "ours", "met", "server CPU", "clients' CPU"}}
	for _, line := range r.LocalAPI {
		table = append(table, line.cells())
	}
	return align(table) + "\n"
}

func (r *apiRow) cells() []string {
	cells := []string{r.Work, "", r.Ours.String(), r.Met, "", ""}
	if r.Target != nil {
		cells[1] = r.Target.String()
	}
	if r.Server != nil {
		cells[4] = fmt.Sprintf("%s a %s", r.Server, r.Unit)
		cells[5] = strings.TrimSpace(number(r.Generator.Median) + " " + r.Generator.Unit)
	}
	return cells
}
