package replicas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/allowlist"
	"shieldwall/internal/wire"
)

// patience is how long what must happen is waited for: long enough to say nothing about speed.
const patience = 2 * time.Minute

// Few values, so that decisions about the same thing meet.
func addresses() []string {
	return []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.7", "2001:db8::1"}
}

func ranges() []string { return []string{"192.0.2.0/30", "198.51.100.0/24", "2001:db8::/64"} }

// writer does what log processors, administrators and cscli do, and notes it in the history.
type writer struct {
	*rand.Rand

	cluster *cluster
	history *history
	token   string
	key     string // of a bouncer, to look what is in force
	client  *http.Client
	counts  map[string]int
	decided []decision // last
	told    *replica   // of that
}

// run does a number of random things.
func (w *writer) run(ctx context.Context, times int) error {
	for range times {
		if err := w.act(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) act(ctx context.Context) error {
	actions := []struct {
		share int
		name  string
		do    func(context.Context) error
	}{
		{5, "attack", w.attack},
		{6, "ban", w.ban},
		{2, "import", w.importMany},
		{5, "end", w.end},
		{2, "end one", w.endOne},
		{3, "delete alert", w.deleteAlert},
		{1, "delete alerts", w.deleteAlerts},
		{3, "look", w.look},
		{2, "wait", w.wait},
	}
	shares := 0
	for _, action := range actions {
		shares += action.share
	}
	pick := w.IntN(shares)
	for _, action := range actions {
		if pick -= action.share; pick < 0 {
			w.counts[action.name]++
			if err := action.do(ctx); err != nil {
				return fmt.Errorf("%s: %w", action.name, err)
			}
			return nil
		}
	}
	return nil
}

// wait lets what is short end.
func (w *writer) wait(context.Context) error {
	w.cluster.clock.skip(time.Duration(w.IntN(700)) * time.Millisecond)
	return nil
}

// subject returns what a decision is about.
func (w *writer) subject() subject {
	kind := "ban"
	if w.IntN(5) == 0 {
		kind = "captcha"
	}
	switch pick := w.IntN(10); {
	case pick < 6:
		return subject{kind, domain.ScopeIP, w.oneOf(addresses())}
	case pick < 8:
		return subject{kind, domain.ScopeRange, w.oneOf(ranges())}
	case pick < 9:
		return subject{kind, domain.ScopeCountry, w.oneOf([]string{"FR", "DE"})}
	}
	return subject{kind, "username", w.oneOf([]string{"root", "bob"})}
}

func (w *writer) oneOf(words []string) string { return words[w.IntN(len(words))] }

// length is short, so that it ends in this round, or long; seldom it is over before it begins.
func (w *writer) length() time.Duration {
	if w.IntN(2) == 0 {
		return time.Hour + time.Duration(w.IntN(600))*time.Second
	}
	return time.Duration(w.IntN(2500)-100) * time.Millisecond
}

func (w *writer) decide(origins ...string) decision {
	s := w.subject()
	return decision{
		scenario: w.history.name(w.oneOf([]string{"ssh-bf", "http-scan"})), origin: w.oneOf(origins),
		kind: s.kind, scope: s.scope, value: s.value,
	}
}

// attack is an alert that the profile judges.
func (w *writer) attack(ctx context.Context) error {
	d := w.decide("crowdsec")
	d.kind = "ban"
	if !d.scope.IsAddress() {
		d.scope, d.value = domain.ScopeIP, w.oneOf(addresses())
	}
	stop := w.cluster.clock.Now()
	if w.IntN(2) == 0 {
		stop = stop.Add(w.length() - judged)
	}
	d.until = stop.Add(judged)
	return w.send(ctx, []decision{d}, wire.Alert{
		Scenario: d.scenario, Remediation: true, Source: &wire.Source{Scope: string(d.scope), Value: d.value},
		StopAt: stop.Format(time.RFC3339Nano),
	})
}

// ban is a decision by hand, or two about different things.
func (w *writer) ban(ctx context.Context) error {
	decisions := []decision{w.decide("cscli", "lists", "CAPI")}
	if w.IntN(4) == 0 {
		decisions = append(decisions, w.decide("cscli"))
	}
	source := &wire.Source{Scope: string(decisions[0].scope), Value: decisions[0].value}
	return w.sendDecided(ctx, source, decisions)
}

func (w *writer) importMany(ctx context.Context) error {
	decisions := make([]decision, 5+w.IntN(40))
	for i := range decisions {
		decisions[i] = w.decide("cscli-import")
		if w.IntN(2) == 0 {
			decisions[i].scope, decisions[i].value = domain.ScopeIP, fmt.Sprintf("203.0.113.%d", w.IntN(100))
		}
	}
	return w.sendDecided(ctx, &wire.Source{}, decisions)
}

func (w *writer) sendDecided(ctx context.Context, source *wire.Source, decisions []decision) error {
	stop := w.cluster.clock.Now()
	alert := wire.Alert{
		Scenario: "by hand", Source: source, Simulated: w.IntN(6) == 0, StopAt: stop.Format(time.RFC3339Nano),
	}
	for i := range decisions {
		d := &decisions[i]
		length := w.length()
		d.until, d.simulated = stop.Add(length), alert.Simulated
		alert.Decisions = append(alert.Decisions, wire.Decision{
			Duration: length.String(), Origin: d.origin, Scenario: d.scenario, Scope: string(d.scope), Type: d.kind, Value: d.value,
		})
	}
	return w.send(ctx, decisions, alert)
}

// send stores an alert, as often as it takes.
func (w *writer) send(ctx context.Context, decisions []decision, alert wire.Alert) error {
	alert.UUID = uuid.NewString()
	alert.Events, alert.StartAt = []wire.Event{}, alert.StopAt
	body, err := json.Marshal([]wire.Alert{alert})
	if err != nil {
		return err
	}
	stored := w.history.adds(decisions)
	answer, err := w.insist(ctx, http.MethodPost, "/v1/alerts", body)
	if err != nil {
		return err
	}
	var ids []string
	if err := json.Unmarshal(answer.body, &ids); err != nil || answer.status != http.StatusCreated || len(ids) > 1 {
		return fmt.Errorf("%d %s: %w", answer.status, answer.body, err)
	}
	var id int64
	switch {
	case len(ids) == 1:
		if id, err = strconv.ParseInt(ids[0], 10, 64); err != nil {
			return err
		}
	case answer.attempts > 1:
		id = -1 // an attempt before may have stored it
	}
	w.decided, w.told = decisions, answer.from
	stored(id)
	return w.history.checkListed(decisions[0], id)
}

// end ends decisions by what they have in common; seldom all of them.
func (w *writer) end(ctx context.Context) error {
	s := w.subject()
	by := selection{query: url.Values{}}
	switch pick := w.IntN(24); {
	case pick < 3:
		origin := w.oneOf([]string{"cscli", "lists", "cscli-import"})
		by.add("origin", origin, func(a *addition) bool { return a.origin == origin })
	case pick < 6:
		address := w.oneOf(addresses())
		by.add("ip", address, func(a *addition) bool { return a.covers(address) })
	case pick < 9:
		by.add("scopes", string(s.scope), func(a *addition) bool { return a.scope == s.scope })
		by.add("type", s.kind, func(a *addition) bool { return a.kind == s.kind })
	case pick < 23:
		by.add("value", s.value, func(a *addition) bool { return a.value == s.value })
	}
	return w.endBy(ctx, "/v1/decisions?"+by.query.Encode(), by.concerns)
}

// selection is the parameters of a request, and what they mean.
type selection struct {
	query url.Values
	holds []func(*addition) bool
}

func (s *selection) add(name, value string, holds func(*addition) bool) {
	s.query.Set(name, value)
	s.holds = append(s.holds, holds)
}

func (s *selection) concerns(a *addition) bool {
	return !slices.ContainsFunc(s.holds, func(holds func(*addition) bool) bool { return !holds(a) })
}

func (w *writer) endBy(ctx context.Context, target string, concerns func(*addition) bool) error {
	done := w.history.ends(target, concerns)
	answer, err := w.insist(ctx, http.MethodDelete, target, nil)
	done()
	if err == nil && answer.status != http.StatusOK && answer.status != http.StatusNotFound {
		err = fmt.Errorf("%s: %d %s", target, answer.status, answer.body)
	}
	return err
}

// endOne ends a decision that is in force, by its ID.
func (w *writer) endOne(ctx context.Context) error {
	found, err := w.inForce(ctx)
	if err != nil || len(found) == 0 {
		return err
	}
	d := found[w.IntN(len(found))]
	return w.endBy(ctx, fmt.Sprintf("/v1/decisions/%d", d.ID), func(a *addition) bool { return a.scenario == d.Scenario })
}

func (w *writer) deleteAlert(ctx context.Context) error {
	id, _ := w.history.storedAlert(w.Rand)
	if id == 0 {
		return nil
	}
	return w.endBy(ctx, fmt.Sprintf("/v1/alerts/%d", id), func(a *addition) bool { return a.alert == id })
}

// deleteAlerts deletes by scenario: that of the alert, or of one of its decisions.
func (w *writer) deleteAlerts(ctx context.Context) error {
	id, scenario := w.history.storedAlert(w.Rand)
	if id == 0 {
		return nil
	}
	return w.endBy(ctx, "/v1/alerts?scenario="+url.QueryEscape(scenario), func(a *addition) bool { return a.alert == id })
}

// look checks that a replica knows at once what it has just been told itself.
func (w *writer) look(ctx context.Context) error {
	if err := w.ban(ctx); err != nil {
		return err
	}
	status, text, err := w.call(ctx, w.told, http.MethodGet, "/v1/decisions?simulated=true", nil)
	if err != nil || status == http.StatusServiceUnavailable {
		return nil //nolint:nilerr // it is stopped by now
	}
	found := map[string]bool{}
	for _, d := range decisionsIn(text) {
		found[d.Scenario] = true
	}
	for _, d := range w.decided {
		if !found[d.scenario] && w.history.fateNow(d.scenario, w.cluster.clock.Now()) == inForce {
			return fmt.Errorf("the replica that stored it does not know it: %+v", d)
		}
	}
	return nil
}

// decisionsIn reads a list that may be null.
func decisionsIn(text []byte) []wire.Decision {
	var found []wire.Decision
	if json.Unmarshal(text, &found) != nil {
		return nil
	}
	return found
}

// inForce asks a replica what is in force.
func (w *writer) inForce(ctx context.Context) ([]wire.Decision, error) {
	answer, err := w.insist(ctx, http.MethodGet, "/v1/decisions", nil)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, fmt.Errorf("%d %s", answer.status, answer.body)
	}
	return decisionsIn(answer.body), nil
}

type answer struct {
	status   int
	body     []byte
	from     *replica
	attempts int
}

// insist asks one replica or the other, until one says yes or no.
func (w *writer) insist(ctx context.Context, method, target string, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	for attempt := 1; ctx.Err() == nil; attempt++ {
		from := w.cluster.replicas[w.IntN(len(w.cluster.replicas))]
		status, text, err := w.call(ctx, from, method, target, body)
		switch {
		case err != nil:
			last = err
		case status == http.StatusServiceUnavailable:
			last = fmt.Errorf("%d %s", status, text)
		case status >= http.StatusInternalServerError:
			return answer{}, fmt.Errorf("%s %s: %d %s", method, target, status, text)
		default:
			return answer{status, text, from, attempt}, nil
		}
		w.counts["again"]++
	}
	return answer{}, errors.Join(ctx.Err(), last)
}

func (w *writer) call(ctx context.Context, from *replica, method, target string, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, from.url()+target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("X-Api-Key", w.key)
	r.Header.Set("User-Agent", "writer/v1")
	response, err := w.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, text, err
}

// administrator changes the allowlist, as cscli does.
type administrator struct {
	*rand.Rand

	cluster *cluster
	history *history
	listed  []string
	counts  map[string]int
}

const listName = "ours"

func (a *administrator) run(ctx context.Context, times int) error {
	for range times {
		if err := a.act(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (a *administrator) act(ctx context.Context) error {
	if len(a.listed) > 0 && a.IntN(2) == 0 {
		return a.remove(ctx, a.IntN(len(a.listed)))
	}
	value := append(addresses(), ranges()...)[a.IntN(len(addresses())+len(ranges()))]
	if slices.Contains(a.listed, value) {
		return nil
	}
	return a.add(ctx, value)
}

func (a *administrator) add(ctx context.Context, value string) error {
	a.counts["allow"]++
	done := a.history.lists(value)
	defer done()
	items := []domain.AllowlistItem{{Value: value}}
	if added, err := a.cluster.cscli.AddAllowlistItems(ctx, listName, items); err != nil || added != 1 {
		return fmt.Errorf("adding %s to the allowlist: %d, %w", value, added, err)
	}
	a.listed = append(a.listed, value)
	now := a.cluster.clock.Now()
	snapshot, err := a.cluster.cscli.Snapshot(ctx, now)
	if err != nil {
		return err
	}
	concerned := allowlist.NewSet([]domain.Allowlist{{Items: items}}).Concerned(func(yield func(*domain.Decision) bool) {
		for i := range snapshot.Decisions {
			if !yield(&snapshot.Decisions[i]) {
				return
			}
		}
	}, now)
	_, err = allowlist.End(ctx, a.cluster.cscli, concerned, now)
	return err
}

func (a *administrator) remove(ctx context.Context, i int) error {
	a.counts["disallow"]++
	done := a.history.unlists(a.listed[i])
	defer done()
	removed, err := a.cluster.cscli.RemoveAllowlistItems(ctx, listName, a.listed[i:i+1])
	if err != nil || removed != 1 {
		return fmt.Errorf("removing %s from the allowlist: %d, %w", a.listed[i], removed, err)
	}
	a.listed = slices.Delete(a.listed, i, i+1)
	return nil
}
