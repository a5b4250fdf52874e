package replicas

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"shieldwall/internal/domain"
)

// decision is what a writer has decided. Its scenario is its own, so that it is known wherever it turns up.
type decision struct {
	scenario  string
	origin    string
	kind      string
	scope     domain.Scope
	value     string
	simulated bool
	until     time.Time
}

// subject is what bouncers act on.
type subject struct {
	kind  string
	scope domain.Scope
	value string
}

func (d *decision) subject() subject { return subject{d.kind, d.scope, d.value} }

func (d *decision) isOfProfile() bool { return d.origin == "crowdsec" }

// span is when something was done, counted in events of the whole cluster: it took effect once between them.
type span struct{ from, to int64 }

const forever = math.MaxInt64

func (s span) before(o span) bool { return s.to < o.from }

// history is what writers did. From that follows which decisions must be in force, which must not be, and of
// which it depends on who was faster.
type history struct {
	mu       sync.Mutex // guards all below
	events   int64
	added    map[string]*addition
	dropped  map[string]*addition // never stored
	endings  []*ending
	listings []*listing
	names    int
}

type addition struct {
	decision
	alert int64 // its ID, 0 before it is known
	at    span
}

// ending is the end of all decisions that it is about.
type ending struct {
	what     string
	concerns func(*addition) bool
	at       span
}

// listing is an item of an allowlist. What it concerns was ended when it was added.
type listing struct {
	value   string
	covers  domain.IPRange
	at      span
	removed span
}

func newHistory() *history {
	return &history{added: map[string]*addition{}, dropped: map[string]*addition{}}
}

// name returns a scenario that nobody else uses.
func (h *history) name(kind string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.names++
	return fmt.Sprintf("acme/%s-%d", kind, h.names)
}

func (h *history) next() int64 {
	h.events++
	return h.events
}

// adds notes that decisions may be in force from now on. The function that it returns notes that they are stored with
// the alert; 0 says that they are not, and never will be, -1 that nobody knows.
func (h *history) adds(decisions []decision) (done func(alert int64)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	from := h.next()
	for _, d := range decisions {
		h.added[d.scenario] = &addition{decision: d, at: span{from, forever}}
	}
	return func(alert int64) {
		h.mu.Lock()
		defer h.mu.Unlock()
		to := h.next()
		for _, d := range decisions {
			a := h.added[d.scenario]
			a.alert, a.at.to = alert, to
			if alert == 0 {
				delete(h.added, d.scenario)
				h.dropped[d.scenario] = a
			}
		}
	}
}

func (h *history) ends(what string, concerns func(*addition) bool) (done func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := &ending{what: what, concerns: concerns, at: span{h.next(), forever}}
	h.endings = append(h.endings, e)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		e.at.to = h.next()
	}
}

func (h *history) lists(value string) (done func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	covers, _ := domain.ParseIPRange(value)
	l := &listing{value: value, covers: covers, at: span{h.next(), forever}, removed: span{forever, forever}}
	h.listings = append(h.listings, l)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		l.at.to = h.next()
	}
}

// unlists notes that the one item with the value goes.
func (h *history) unlists(value string) (done func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var gone *listing
	for _, l := range h.listings {
		if l.value == value && l.removed.from == forever {
			gone = l
		}
	}
	gone.removed.from = h.next()
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		gone.removed.to = h.next()
	}
}

func (l *listing) concerns(a *addition) bool {
	about, ok := a.addresses()
	return ok && (about.Contains(l.covers) || l.covers.Contains(about))
}

// addresses are what a decision is about, if it is about addresses.
func (a *addition) addresses() (domain.IPRange, bool) {
	about, err := domain.ParseIPRange(a.value)
	return about, err == nil && a.scope.IsAddress()
}

func (a *addition) covers(address string) bool {
	covered, _ := domain.ParseIPRange(address)
	about, ok := a.addresses()
	return ok && about.Contains(covered)
}

// checkListed says whether it was right to store, or to drop, what a profile has decided; id is 0 for dropped, -1
// when nobody knows.
func (h *history) checkListed(d decision, id int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, known := h.added[d.scenario], id > 0
	if !known {
		a = h.dropped[d.scenario]
	}
	if !d.isOfProfile() || a == nil {
		return nil
	}
	must, may := h.wasListed(a)
	if known && must {
		return fmt.Errorf("stored in spite of an allowlist: %+v", *a)
	}
	if !known && !may {
		return fmt.Errorf("dropped for no reason: %+v", *a)
	}
	return nil
}

// wasListed says whether a decision of a profile that was made then had to be prevented, or may have been.
func (h *history) wasListed(a *addition) (must, may bool) {
	for _, l := range h.listings {
		if !l.concerns(a) || a.at.before(l.at) || l.removed.before(a.at) {
			continue
		}
		may = true
		if l.at.before(a.at) && a.at.before(l.removed) {
			must = true
		}
	}
	return must, may
}

// storedAlert returns the ID of a random alert that was stored, and the scenario of one of its decisions; 0 when
// there is none. The alert may be gone.
func (h *history) storedAlert(random *rand.Rand) (id int64, scenario string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	stored := slices.DeleteFunc(slices.Sorted(maps.Keys(h.added)), func(scenario string) bool { return h.added[scenario].alert <= 0 })
	if len(stored) == 0 {
		return 0, ""
	}
	scenario = stored[random.IntN(len(stored))]
	return h.added[scenario].alert, scenario
}

type fate int

const (
	inForce fate = iota
	over
	unknown // both would be right
)

// fateOf says what must have become of a decision by now.
func (h *history) fateOf(a *addition, now time.Time) fate {
	if !a.until.After(now) {
		return over
	}
	result := inForce
	ended := func(at span) {
		switch {
		case a.at.before(at):
			result = over
		case result == inForce && !at.before(a.at):
			result = unknown
		}
	}
	for _, e := range h.endings {
		if e.concerns(a) {
			ended(e.at)
		}
	}
	for _, l := range h.listings {
		if !l.concerns(a) {
			continue
		}
		ended(l.at)
		// A replica that learns of an item late ends the decisions of profiles that it let through.
		if a.isOfProfile() && result == inForce && !a.at.before(l.at) {
			result = unknown
		}
	}
	return result
}

// knows says whether a bouncer may have heard of a decision.
func (h *history) knows(scenario string) (decision, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.added[scenario]
	if a == nil {
		return decision{}, false
	}
	return a.decision, true
}

// fateNow is fateOf for a decision by its scenario; one that was never stored is over.
func (h *history) fateNow(scenario string, now time.Time) fate {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.added[scenario]
	if a == nil {
		return over
	}
	return h.fateOf(a, now)
}

// judge compares what is in force with what must be, when nothing is under way any more.
func (h *history) judge(active map[string]domain.Decision, now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var wrong []string
	for scenario, a := range h.added {
		stored, isActive := active[scenario]
		switch fate := h.fateOf(a, now); {
		case fate == inForce && !isActive:
			wrong = append(wrong, fmt.Sprintf("lost: %+v", *a))
		case fate == over && isActive:
			wrong = append(wrong, fmt.Sprintf("kept: %+v", *a))
		case isActive && a.isOfProfile() && h.isListed(a):
			wrong = append(wrong, fmt.Sprintf("kept in spite of an allowlist: %+v", *a))
		case isActive && asDecided(&stored) != a.decision:
			wrong = append(wrong, fmt.Sprintf("changed: %+v became %+v", *a, stored))
		}
	}
	for scenario := range active {
		if h.added[scenario] == nil {
			wrong = append(wrong, "unheard of: "+scenario)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	for _, e := range h.endings {
		wrong = append(wrong, fmt.Sprintf("ending %s at %v", e.what, e.at))
	}
	for _, l := range h.listings {
		wrong = append(wrong, fmt.Sprintf("listing of %s at %v, removed at %v", l.value, l.at, l.removed))
	}
	return fmt.Errorf("the database differs from what was done to it:\n%s", strings.Join(wrong, "\n"))
}

func (h *history) isListed(a *addition) bool {
	for _, l := range h.listings {
		if l.removed.from == forever && l.concerns(a) {
			return true
		}
	}
	return false
}

func asDecided(d *domain.Decision) decision {
	return decision{
		scenario: d.Scenario, origin: d.Origin, kind: d.Type, scope: d.Scope, value: d.Value, simulated: d.Simulated, until: d.Until,
	}
}

// settle forgets what is over, for the next round.
func (h *history) settle(active map[string]domain.Decision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for scenario := range h.added {
		if _, isActive := active[scenario]; !isActive {
			delete(h.added, scenario)
		}
	}
	h.endings = nil
	clear(h.dropped)
	var listed []*listing
	for _, l := range h.listings {
		if l.removed.from == forever {
			listed = append(listed, l)
		}
	}
	h.listings = listed
}
