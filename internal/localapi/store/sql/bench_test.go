package sql_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
)

// typicalAlerts are like those of a log processor that watches sshd. No two are about the same address.
func typicalAlerts(count, decisions int) []domain.Alert {
	now := time.Now()
	alerts := make([]domain.Alert, count)
	for i := range alerts {
		value := randomAddress()
		a := domain.Alert{
			UUID: uuid.NewString(), MachineID: "web-1", Kind: "crowdsec", Scenario: "crowdsecurity/ssh-bf", ScenarioVersion: "0.3",
			ScenarioHash: "4b1ba3a9d2a1d2f0c1b0ffdb2c6d5ee4cbde5b4f3c1f4d0a8e2a4d3e5c6b7a89",
			Message:      "Ip " + value + " performed 'crowdsecurity/ssh-bf' (6 events over 2.5s)", EventsCount: 6, Capacity: 5, Leakspeed: "10s",
			StartAt: now, StopAt: now.Add(2500 * time.Millisecond), Remediation: true,
			Source: domain.Source{Scope: "Ip", Value: value, IP: value, ASNumber: "64496", ASName: "EXAMPLE-AS", Country: "FR", Latitude: 48.5},
			Meta:   []domain.KeyValue{{Key: "target_user", Value: `["root","admin"]`}},
		}
		for e := range 6 {
			a.Events = append(a.Events, domain.AlertEvent{Time: now.Add(time.Duration(e) * time.Second / 2), Meta: []domain.KeyValue{
				{Key: "datasource_path", Value: "/var/log/auth.log"},
				{Key: "datasource_type", Value: "file"},
				{Key: "log_type", Value: "ssh_failed-auth"},
				{Key: "machine", Value: "web-1"},
				{Key: "service", Value: "ssh"},
				{Key: "source_ip", Value: value},
				{Key: "target_user", Value: "root"},
				{Key: "timestamp", Value: "2026-11-22T00:00:00Z"},
			}})
		}
		for range decisions {
			a.Decisions = append(a.Decisions, domain.Decision{
				UUID: uuid.NewString(), Origin: "crowdsec", Type: "ban", Scenario: a.Scenario, Scope: "Ip", Value: value, Until: now.Add(4 * time.Hour),
			})
			value = randomAddress()
		}
		alerts[i] = a
	}
	return alerts
}

func randomAddress() string {
	var four [4]byte
	binary.BigEndian.PutUint32(four[:], rand.Uint32())
	return netip.AddrFrom4(four).String()
}

// BenchmarkAddAlerts has four clients that send requests one after the other, as log processors do.
func BenchmarkAddAlerts(b *testing.B) {
	const clients = 4
	for name, fresh := range engines() {
		for _, perRequest := range []int{1, 50} {
			b.Run(name+"/"+strconv.Itoa(perRequest), func(b *testing.B) {
				s := openAny(b, fresh(b))
				if err := s.AddMachine(b.Context(), domain.Machine{ID: "web-1"}); err != nil {
					b.Fatal(err)
				}
				requests := make([][]domain.Alert, b.N)
				for i := range requests {
					requests[i] = typicalAlerts(perRequest, 1)
				}
				b.ResetTimer()
				used := processorTime(b)
				var next atomic.Int64
				var sending errgroup.Group
				for range clients {
					sending.Go(func() error {
						for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
							if _, err := s.AddAlerts(b.Context(), requests[i]); err != nil {
								return err
							}
						}
						return nil
					})
				}
				if err := sending.Wait(); err != nil {
					b.Fatal(err)
				}
				alerts := float64(perRequest * b.N)
				b.ReportMetric(alerts/b.Elapsed().Seconds(), "alerts/s")
				b.ReportMetric(float64((processorTime(b)-used).Microseconds())/alerts, "cpu-µs/alert")
			})
		}
	}
}

// BenchmarkImport stores 100,000 decisions the way cscli sends them.
func BenchmarkImport(b *testing.B) {
	const decisions, perAlert = 100_000, 1000
	for name, fresh := range engines() {
		b.Run(name, func(b *testing.B) {
			s := openAny(b, fresh(b))
			for b.Loop() {
				b.StopTimer()
				alerts := typicalAlerts(decisions/perAlert, perAlert)
				for i := range alerts {
					alerts[i].Events = nil
				}
				b.StartTimer()
				for _, alert := range alerts {
					if _, err := s.AddAlerts(b.Context(), []domain.Alert{alert}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// processorTime is what this process used so far; servers are not counted.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func BenchmarkChangesSince(b *testing.B) {
	s := open(b, sql.Config{Path: newPath(b)})
	if _, err := s.AddAlerts(b.Context(), typicalAlerts(1, 10_000)); err != nil {
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
	if _, err := s.AddAlerts(b.Context(), typicalAlerts(10, 10_000)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Snapshot(b.Context(), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkListDecisions lists alerts as cscli does to print 10,000 decisions.
func BenchmarkListDecisions(b *testing.B) {
	for _, perAlert := range []int{100, 1} {
		b.Run(strconv.Itoa(perAlert), func(b *testing.B) {
			s := open(b, sql.Config{Path: newPath(b)})
			alerts := typicalAlerts(10_000/perAlert, perAlert)
			for i := range alerts {
				if perAlert > 1 {
					alerts[i].Events, alerts[i].Meta = nil, nil
				}
			}
			if _, err := s.AddAlerts(b.Context(), alerts); err != nil {
				b.Fatal(err)
			}
			active, now := true, time.Now()
			b.ReportAllocs()
			for b.Loop() {
				found, err := s.Alerts(b.Context(), store.AlertFilter{Active: &active, Now: now, ExcludeCAPI: true})
				if err != nil || len(found) != len(alerts) {
					b.Fatal(len(found), err)
				}
			}
		})
	}
}
