package metrics

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
)

func TestNumerals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n     int64
		brief bool
		want  string
	}{
		{0, true, "-"},
		{0, false, "-"},
		{999, true, "999"},
		{1000, true, "1.00k"},
		{1000, false, "1000"},
		{9061, true, "9.06k"},
		{1_250_000, true, "1.25M"},
		{5_000_000_000, true, "5.00G"},
		{3 * 1e12, true, "3.00T"},
		{4 * 1e15, true, "4.00P"},
		{math.MaxInt64, true, "9.22E"},
		{-5000, true, "-5000"},
	} {
		if got := numeral(c.n, c.brief); got != c.want {
			t.Errorf("%d, %v: got %s, want %s", c.n, c.brief, got, c.want)
		}
	}
}

func TestSamplesAreSummedUpByTheirKeys(t *testing.T) {
	t.Parallel()
	all, err := parse(strings.NewReader("x{a=\"1\",b=\"z\"} 2\nx{a=\"1\",b=\"y\"} 3.9\nx{a=\"0\"} NaN\ny{a=\"1\"} 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := section{keys: []column{{"A", "a", ""}}, counts: []column{{"X", "x", "x"}, {"Y", "y", "y"}, {"Z", "z", "z"}}}
	document, err := json.Marshal(s.document(sources{samples: func() samples { return all }}))
	if want := `{"0":{"x":0,"y":0,"z":0},"1":{"x":5,"y":1,"z":0}}`; err != nil || string(document) != want {
		t.Errorf("got %s, %v", document, err)
	}
}

// described remembers the names of what is registered.
type described map[string]bool

func (d described) Register(c prometheus.Collector) error {
	descriptions := make(chan *prometheus.Desc, 100)
	c.Describe(descriptions)
	close(descriptions)
	name := regexp.MustCompile(`fqName: "([^"]*)"`)
	for description := range descriptions {
		d[name.FindStringSubmatch(description.String())[1]] = true
	}
	return nil
}

func (d described) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = d.Register(c) // never fails
	}
}

func (described) Unregister(prometheus.Collector) bool { return true }

// TestShownMetricsAreCounted holds the names here against those that the engine registers.
func TestShownMetricsAreCounted(t *testing.T) {
	t.Parallel()
	registered := described{"cs_cache_size": true} // not counted yet: published, so that other engines may be shown
	parser.NewMetrics(registered)
	scenario.NewMetrics(registered)
	logprocessor.NewMetrics(registered)
	serveNothing(t, registered)
	for _, k := range kinds() {
		s, ok := k.content.(*section)
		if !ok {
			continue
		}
		for _, c := range s.counts {
			if !registered[c.from] {
				t.Errorf("%s shows %s, which nothing counts", k.name, c.from)
			}
		}
	}
}

func serveNothing(t *testing.T, registry prometheus.Registerer) {
	t.Helper()
	ctx := context.Background()
	db, err := sql.Open(ctx, sql.Config{Type: "sqlite", Path: t.TempDir() + "/crowdsec.db"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	_, err = localapi.New(ctx, localapi.Config{Secret: bytes.Repeat([]byte("x"), 64)}, localapi.Deps{Store: db, Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTypesHaveDifferentNamesInOrder(t *testing.T) {
	t.Parallel()
	before := ""
	for _, k := range kinds() {
		if k.name <= before || k.title == "" || k.description == "" || k.content == nil {
			t.Errorf("%+v after %s", k, before)
		}
		before = k.name
	}
	for group, members := range groups() {
		if chosen, err := choose([]string{group}); err != nil || len(chosen) != len(members) {
			t.Errorf("%s: %v, %v", group, chosen, err)
		}
	}
}

// FuzzShow shows whatever a server answers, and whatever components report.
func FuzzShow(f *testing.F) {
	f.Add("cs_alerts{reason=\"a\"} 1\ncs_cache_size{name=\"x\",type=\"LRU\"} 3\n", `{"metrics":[{"items":[{"name":"read","value":1}]}]}`)
	f.Add("# TYPE cs_buckets histogram\ncs_buckets_bucket{le=\"1\"} 3\n", `{"metrics":[{"items":[{"name":"a_gauge","unit":"ip","labels":{"origin":"CAPI"}}]}]}`)
	f.Add("cs_alerts 1e400\ncs_alerts NaN\n{\"cs_alerts\"} 3", `{}`)
	f.Fuzz(func(t *testing.T, page, payload string) {
		all, err := parse(strings.NewReader(page))
		if err != nil && all != nil {
			t.Error("both samples and an error")
		}
		from := sources{
			samples: func() samples { return all },
			reports: func() []domain.UsageReport {
				return []domain.UsageReport{
					{Kind: domain.UsageRemediation, From: "b", Payload: payload}, {Kind: domain.UsageLogProcessor, From: "m", Payload: payload},
				}
			},
		}
		for _, k := range kinds() {
			if _, err := json.Marshal(k.content.document(from)); err != nil {
				t.Error(err)
			}
			for _, shown := range k.content.tables(from, k.title, drawing{asked: true}) {
				if shown.Fit(80) == "" {
					t.Error("an empty table")
				}
			}
		}
	})
}
