package sql_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store/sql"
)

func someAlerts(count, decisions int) []domain.Alert {
	until := time.Now().Add(time.Hour)
	alerts := make([]domain.Alert, count)
	for i := range alerts {
		a := domain.Alert{MachineID: "m", Scenario: "s", Source: domain.Source{Scope: "Ip", Value: "192.0.2.1"}}
		for range 5 {
			a.Events = append(a.Events, domain.AlertEvent{Time: until, Meta: []domain.KeyValue{{Key: "source_ip", Value: "192.0.2.1"}}})
		}
		for d := range decisions {
			value := fmt.Sprintf("10.%d.%d.%d", d>>16&0xff, d>>8&0xff, d&0xff)
			a.Decisions = append(a.Decisions, domain.Decision{Origin: "crowdsec", Type: "ban", Scope: "Ip", Value: value, Until: until})
		}
		alerts[i] = a
	}
	return alerts
}

func BenchmarkAddAlerts(b *testing.B) {
	for _, size := range []struct{ alerts, decisions int }{{1, 1}, {50, 1}, {1, 10_000}} {
		b.Run(strconv.Itoa(size.alerts)+"x"+strconv.Itoa(size.decisions), func(b *testing.B) {
			s := open(b, sql.Config{Path: newPath(b)})
			alerts := someAlerts(size.alerts, size.decisions)
			for b.Loop() {
				if _, err := s.AddAlerts(b.Context(), alerts); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size.alerts*b.N)/b.Elapsed().Seconds(), "alerts/s")
		})
	}
}

func BenchmarkChangesSince(b *testing.B) {
	s := open(b, sql.Config{Path: newPath(b)})
	if _, err := s.AddAlerts(b.Context(), someAlerts(1, 10_000)); err != nil {
		b.Fatal(err)
	}
	for _, limit := range []int{1, 1000} {
		b.Run(strconv.Itoa(limit), func(b *testing.B) {
			for b.Loop() {
				if changes, err := s.ChangesSince(b.Context(), 5000, limit); err != nil || len(changes) != limit {
					b.Fatal(len(changes), err)
				}
			}
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	s := open(b, sql.Config{Path: newPath(b)})
	if _, err := s.AddAlerts(b.Context(), someAlerts(10, 10_000)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Snapshot(b.Context(), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}
