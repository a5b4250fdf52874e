package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/google/uuid"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/test/bench/load"
)

const (
	apiConnections = 4
	eventsOfAlert  = 6 // guesses that fill a bucket of sshd
	startDecisions = 100_000
	manyDecisions  = 1_000_000
)

// withAPI runs do on a new Local API that runs, after prepare, and ends it.
func (b *bench) withAPI(ctx context.Context, bouncers int, prepare, do func(*api) error) (err error) {
	dir, err := os.MkdirTemp(b.dir, "api-")
	if err != nil {
		return fmt.Errorf("making a place for a Local API: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the folder above goes too
	a, err := newAPI(ctx, filepath.Join(dir, "etc"), bouncers)
	if err != nil {
		return err
	}
	if err := prepare(a); err != nil {
		return err
	}
	a.profile = b.profile(filepath.Base(dir))
	if err := a.start(ctx); err != nil {
		return err
	}
	err = do(a)
	return errors.Join(err, a.stop())
}

func nothing(*api) error { return nil }

// alerts measures how many alerts a second are stored, judged by the profiles and answered.
func (b *bench) alerts(ctx context.Context) error {
	for _, size := range []struct {
		perRequest, events, requests int
		target                       *target
	}{
		{50, eventsOfAlert, 800, &target{Limit: 15_000}},
		{50, 1, 800, nil},
		{1, eventsOfAlert, 10_000, &target{Limit: 3000}},
	} {
		var series apiSeries
		for turn := range b.runs {
			err := b.withAPI(ctx, 0, nothing, func(a *api) error {
				work, err := a.ingest(ctx, size.perRequest, size.events, size.requests)
				series.add(float64(work.Requests*size.perRequest)/work.Took.Seconds(), work, work.Requests*size.perRequest)
				return err
			})
			if err != nil {
				return err
			}
			b.say("run %d of %d: alerts, %d a request: %s alerts/s, %s µs of CPU each", turn+1, b.runs, size.perRequest,
				number(series.ours[turn]), number(series.server[turn]))
		}
		work := fmt.Sprintf("alerts ingested, %d a request, %d events each", size.perRequest, size.events)
		b.report.addAPI(series.row(work, "alerts/s", "alert", size.target))
	}
	return nil
}

// ingest sends requests with alerts over some connections, and looks afterwards whether all alerts are there.
func (a *api) ingest(ctx context.Context, perRequest, events, requests int) (work apiWork, err error) {
	token, err := a.token(ctx)
	if err != nil {
		return work, err
	}
	template, err := load.NewTemplate(perRequest, events, time.Now())
	if err != nil {
		return work, err
	}
	head := load.Post("/v1/alerts", template.Len(), "User-Agent: bench/1", "Authorization: Bearer "+token)
	var clients []load.Client
	for range apiConnections {
		clients = append(clients, template.Client(head))
	}
	template.Allow(requests)
	if work, err = a.drive(ctx, http.StatusCreated, clients...); err != nil {
		return work, err
	}
	return work, a.mustHold(ctx, perRequest*requests)
}

// mustHold fails unless so many alerts are stored, each with a decision.
func (a *api) mustHold(ctx context.Context, alerts int) error {
	database, err := a.database(ctx)
	if err != nil {
		return err
	}
	defer database.Close() //nolint:errcheck // only read
	counts, err := database.CountAlerts(ctx, store.AlertFilter{Active: new(true), Now: time.Now()})
	if err != nil {
		return err
	}
	stored := 0
	for _, count := range counts {
		stored += count
	}
	if stored != alerts {
		return fmt.Errorf("%d alerts were acknowledged, %d are stored with a decision", alerts, stored)
	}
	return nil
}

// imports measures cscli from its start to its end.
func (b *bench) imports(ctx context.Context) error {
	file := filepath.Join(b.dir, "decisions.csv")
	if err := writeDecisions(file, startDecisions); err != nil {
		return err
	}
	var series apiSeries
	for turn := range b.runs {
		err := b.withAPI(ctx, 1, nothing, func(a *api) error {
			var work apiWork
			client := processorTime(syscall.RUSAGE_CHILDREN)
			began := time.Now()
			err := a.measure(&work, func() error { return a.cscli(ctx, "decisions", "import", "-i", file) })
			work.generator = processorTime(syscall.RUSAGE_CHILDREN) - client
			series.add(time.Since(began).Seconds(), work, startDecisions)
			return errors.Join(err, a.mustServe(ctx, startDecisions))
		})
		if err != nil {
			return err
		}
		b.say("run %d of %d: import: %s s", turn+1, b.runs, number(series.ours[turn]))
	}
	work := fmt.Sprintf("cscli decisions import, %s decisions", grouped(startDecisions))
	b.report.addAPI(series.row(work, "s", "decision", &target{Limit: 2, AtMost: true}))
	return nil
}

func writeDecisions(path string, count int) error {
	text := []byte("duration,scope,value\n")
	for i := range count {
		text = append(append(append(text, "24h,ip,"...), load.Address(i)...), '\n')
	}
	return write(text, path)
}

// mustServe fails unless a bouncer is sent so many decisions.
func (a *api) mustServe(ctx context.Context, decisions int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.address+"/v1/decisions/stream?startup=true", nil)
	if err != nil {
		return err
	}
	request.Header.Set("X-Api-Key", benchKey+"0")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking for the decisions: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // read as far as it matters
	if got := answer.Header.Get("X-Shieldwall-New"); got != strconv.Itoa(decisions) {
		return fmt.Errorf("%s decisions are served, not %d", got, decisions)
	}
	return nil
}

// stream measures what bouncers cost that begin, and those that ask for news when there are none.
func (b *bench) stream(ctx context.Context) error {
	return b.withAPI(ctx, furtherBouncers+1, func(a *api) error { return a.fill(ctx, startDecisions) }, func(a *api) error {
		if err := a.mustServe(ctx, startDecisions); err != nil {
			return err
		}
		var s startUps
		for turn := range max(b.runs, 5) {
			if err := s.measure(ctx, a); err != nil {
				return err
			}
			b.say("run %d: start-up: first byte %s ms, further bouncers so far %s", turn+1, number(s.first.ours[2*turn]), median("µs", s.packed.server))
		}
		s.report(&b.report)
		return b.idle(ctx, a)
	})
}

// fill stores decisions of the Central API's kind and tells bouncers 0 and up that they know of them.
func (a *api) fill(ctx context.Context, decisions int) (err error) {
	database, err := a.database(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	const perAlert = 10_000
	for first := 0; first < decisions; first += perAlert {
		if err := addBlocklist(ctx, database, first, min(perAlert, decisions-first)); err != nil {
			return err
		}
	}
	bouncers, err := database.Bouncers(ctx, store.BouncerFilter{})
	if err != nil {
		return err
	}
	known, now := int64(decisions), time.Now()
	for _, bouncer := range bouncers {
		if err := database.UpdateBouncer(ctx, bouncer.ID, store.BouncerChange{Cursor: &known, LastPull: &now}); err != nil {
			return err
		}
	}
	return nil
}

func addBlocklist(ctx context.Context, database *sql.Store, first, count int) error {
	now := time.Now()
	alert := domain.Alert{UUID: uuid.NewString(), Scenario: "a list", StartAt: now, StopAt: now, Source: domain.Source{Scope: "lists"}}
	for i := range count {
		alert.Decisions = append(alert.Decisions, domain.Decision{
			UUID: uuid.NewString(), Origin: "lists", Type: "ban", Scenario: "shieldwall/list-" + strconv.Itoa(i%50), Scope: domain.ScopeIP,
			Value: load.Address(first + i), Until: now.Add(24 * time.Hour),
		})
	}
	_, err := database.AddAlerts(ctx, []domain.Alert{alert})
	return err
}

const furtherBouncers = 10 // for whom a snapshot is made already

// startUps is bouncers that ask for everything: the first one, and those who come within the same second.
type startUps struct {
	first, packed, plain apiSeries
}

func (s *startUps) measure(ctx context.Context, a *api) error {
	conn, err := load.Dial(ctx, a.address)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // read
	return errors.Join(s.together(ctx, &startUp{api: a, conn: conn}, &s.plain),
		s.together(ctx, &startUp{api: a, conn: conn, headers: []string{"Accept-Encoding: gzip"}}, &s.packed))
}

// snapshotLife is a little less than how long a Local API sends the same snapshot.
const snapshotLife = 900 * time.Millisecond

// together lets bouncers ask one after the other: the first, the one for whom the answer is made to be kept, and
// those who are sent what is there. Who comes too late, because the machine is busy, does not count.
func (s *startUps) together(ctx context.Context, one *startUp, further *apiSeries) error {
	if err := pause(ctx, 2500*time.Millisecond); err != nil { // until nothing is left of what was made for others
		return err
	}
	began := time.Now()
	answer, work, err := one.ask(0)
	if err != nil {
		return err
	}
	s.first.add(milliseconds(answer.FirstByte), work, 1)
	for bouncer := 1; bouncer <= furtherBouncers && err == nil; bouncer++ {
		answer, work, err = one.ask(bouncer)
		if bouncer > 1 && err == nil && time.Since(began) < snapshotLife {
			further.add(float64(answer.Bytes)/1e6/work.Took.Seconds(), work, 1)
		}
	}
	return err
}

// startUp is a request for everything, over one connection.
type startUp struct {
	api     *api
	conn    *load.Conn
	headers []string
}

func (o *startUp) ask(bouncer int) (answer load.Answer, work apiWork, err error) {
	err = o.api.measure(&work, func() error {
		began := time.Now()
		answer, err = o.conn.Do(load.Get("/v1/decisions/stream?startup=true", append(slices.Clone(o.headers), keyOf(bouncer))...))
		work.Took = time.Since(began)
		return err
	})
	return answer, work, err
}

func (s *startUps) report(r *report) {
	snapshot := fmt.Sprintf("start-up with %s decisions", grouped(startDecisions))
	r.addAPI(s.first.row(snapshot+", first byte", "ms", "bouncer", &target{Limit: 5, AtMost: true}))
	r.addAPI(s.plain.row(snapshot+", a further body", "MB/s", "bouncer", nil))
	r.addAPI(s.packed.row(snapshot+", a further body, gzip", "MB/s", "bouncer", nil))
	for _, further := range []struct {
		how    string
		series *apiSeries
	}{{"", &s.plain}, {", gzip", &s.packed}} {
		cpu := make([]float64, len(further.series.server))
		for i, used := range further.series.server {
			cpu[i] = used / 1000
		}
		r.addAPI(apiRow{Work: snapshot + ", CPU of a further bouncer" + further.how, Ours: median("ms", cpu), Target: &target{Limit: 2, AtMost: true}})
	}
}

// idle measures bouncers that ask for news.
func (b *bench) idle(ctx context.Context, a *api) error {
	const requests = 30_000
	return b.requests(ctx, a, "delta with nothing new", func(client int) load.Client {
		return &load.Repeat{Request: load.Get("/v1/decisions/stream", keyOf(client), "User-Agent: bench/1"), Times: requests / apiConnections}
	})
}

// lookups measures live queries of one address among a million decisions, and what those take in memory.
func (b *bench) lookups(ctx context.Context) error {
	const requests, bouncers = 40_000, 1000
	return b.withAPI(ctx, bouncers, func(a *api) error { return a.fill(ctx, manyDecisions) }, func(a *api) error {
		sizes := &apiMemory{api: a}
		if err := sizes.note(ctx, "started"); err != nil {
			return err
		}
		err := b.requests(ctx, a, "/v1/decisions?ip= among 1,000,000", func(client int) load.Client {
			return load.NewLookups(requests/apiConnections, manyDecisions, client*manyDecisions/apiConnections, keyOf(client), "User-Agent: bench/1")
		})
		if err != nil {
			return err
		}
		if err := sizes.note(ctx, "looked up"); err != nil {
			return err
		}
		if err := sizes.poll(ctx, bouncers); err != nil {
			return err
		}
		sizes.report(&b.report)
		return nil
	})
}

// requests measures small requests of some clients in several runs.
func (b *bench) requests(ctx context.Context, a *api, what string, client func(number int) load.Client) error {
	var series apiSeries
	for turn := range b.runs {
		var clients []load.Client
		for i := range apiConnections {
			clients = append(clients, client(i))
		}
		work, err := a.drive(ctx, http.StatusOK, clients...)
		if err != nil {
			return err
		}
		series.add(float64(work.Requests)/work.Took.Seconds(), work, work.Requests)
		b.say("run %d of %d: %s: %s requests/s, %s µs of CPU each", turn+1, b.runs, what, number(series.ours[turn]), number(series.server[turn]))
	}
	b.report.addAPI(series.row(what, "requests/s", "request", &target{Limit: 20_000}))
	return nil
}

// apiMemory is how large a Local API was, and when.
type apiMemory struct {
	api   *api
	when  []string
	sizes []float64 // MB
	peak  float64
}

// note takes the size after a moment of rest.
func (m *apiMemory) note(ctx context.Context, when string) error {
	if err := pause(ctx, 3*time.Second); err != nil {
		return err
	}
	size, peak, err := m.api.memory()
	m.when, m.sizes, m.peak = append(m.when, when), append(m.sizes, size), peak
	return err
}

// poll lets all bouncers ask for news, each over its own connection, again and again.
func (m *apiMemory) poll(ctx context.Context, bouncers int) error {
	const rounds, polls = 4, 20
	for round := range rounds {
		clients := make([]load.Client, bouncers)
		for i := range clients {
			clients[i] = &load.Repeat{Request: load.Get("/v1/decisions/stream", keyOf(i), "User-Agent: bench/1"), Times: polls}
		}
		if _, err := m.api.drive(ctx, http.StatusOK, clients...); err != nil {
			return err
		}
		if err := m.note(ctx, fmt.Sprintf("%s polls", grouped((round+1)*polls*bouncers))); err != nil {
			return err
		}
	}
	return nil
}

func (m *apiMemory) report(r *report) {
	size := median("MB", m.sizes)
	size.Median = size.High
	r.addAPI(apiRow{Work: "resident with 1,000,000 active decisions", Ours: size, Target: &target{Limit: 400, AtMost: true}})
	r.addAPI(apiRow{Work: "the same, its peak", Ours: single("MB", m.peak)})
	first, last := m.sizes[len(m.sizes)-3], m.sizes[len(m.sizes)-1]
	r.addAPI(apiRow{Work: "growth while 1,000 bouncers poll", Ours: single("MB", last-first), Target: &target{Limit: math.Round(0.05 * first), AtMost: true}})
	for i, when := range m.when {
		r.check("Local API with 1,000,000 decisions: %s MB, %s.", number(m.sizes[i]), when)
	}
}
