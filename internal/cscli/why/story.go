package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/wire"
)

// story is everything that is known.
type story struct {
	Address     string    `json:"address"`
	Allowlisted string    `json:"allowlisted,omitempty"` // by what, "" when it is not
	Bans        []ban     `json:"bans"`
	Undo        []string  `json:"undo,omitempty"` // commands
	Earlier     []earlier `json:"earlier_alerts"`
}

// ban is an alert with decisions in force, and how it came about.
type ban struct {
	AlertID   int64      `json:"alert_id"`
	At        string     `json:"created_at"`
	Machine   string     `json:"machine"`
	Kind      string     `json:"kind"`
	Message   string     `json:"message,omitempty"`
	Events    []sighting `json:"events"`
	Lines     []string   `json:"lines,omitempty"`
	LinesNote string     `json:"lines_note,omitempty"` // why there are none, or no explanation of them
	Parsers   string     `json:"parsers,omitempty"`    // as cscli explain draws them
	Scenario  scenario   `json:"scenario"`
	Profile   string     `json:"profile,omitempty"`
	Decisions []decision `json:"decisions"`
}

// sighting is one event.
type sighting struct {
	At   string            `json:"timestamp"`
	Meta map[string]string `json:"meta"`
}

type scenario struct {
	Name      string `json:"name"`
	Version   string `json:"version,omitempty"`
	Capacity  int32  `json:"capacity"`
	Leakspeed string `json:"leakspeed"`
	Events    int32  `json:"events_count"`
	Begin     string `json:"start_at"`
	End       string `json:"stop_at"`
}

type decision struct {
	ID        int64  `json:"id"`
	Type      string `json:"type"`
	Subject   string `json:"subject"` // scope:value
	Origin    string `json:"origin"`
	Remaining string `json:"remaining"`
	Simulated bool   `json:"simulated,omitempty"`

	Components []component `json:"components,omitempty"`
	Unknown    string      `json:"components_unknown,omitempty"` // why it is not known where the decision is enforced
}

// component is a bouncer, and how far a decision got there.
type component struct{ wire.ComponentEnforcement }

type earlier struct {
	AlertID  int64  `json:"alert_id"`
	At       string `json:"created_at"`
	Scenario string `json:"scenario"`
}

func earlierOf(alert wire.Alert) earlier { return earlier{alert.ID, alert.CreatedAt, alert.Scenario} }

// active leaves out decisions whose time is over.
func active(decisions []wire.Decision) []wire.Decision {
	return slices.DeleteFunc(slices.Clone(decisions), func(d wire.Decision) bool { return strings.HasPrefix(d.Duration, "-") })
}

func banOf(alert wire.Alert) ban {
	b := ban{
		AlertID: alert.ID, At: alert.CreatedAt, Machine: alert.MachineID, Kind: alert.Kind, Message: alert.Message, Events: []sighting{},
		Scenario: scenario{
			Name: alert.Scenario, Version: alert.ScenarioVersion, Capacity: alert.Capacity, Leakspeed: alert.Leakspeed,
			Events: alert.EventsCount, Begin: alert.StartAt, End: alert.StopAt,
		},
	}
	for _, event := range alert.Events {
		meta := make(map[string]string, len(event.Meta))
		for _, item := range event.Meta {
			meta[item.Key] = item.Value
		}
		b.Events = append(b.Events, sighting{At: event.Timestamp, Meta: meta})
	}
	for _, d := range active(alert.Decisions) {
		b.Decisions = append(b.Decisions, decision{
			ID: d.ID, Type: d.Type, Subject: d.Scope + ":" + d.Value, Origin: d.Origin, Remaining: d.Duration,
			Simulated: alert.Simulated || d.Simulated != nil && *d.Simulated,
		})
	}
	return b
}

// undo returns the commands that take it back.
func undo(address string, bans []ban) (commands []string) {
	for _, b := range bans {
		for _, d := range b.Decisions {
			commands = append(commands, fmt.Sprintf("cscli decisions delete --id %d", d.ID))
		}
	}
	return append(commands, "cscli allowlists add NAME "+address+"   # keeps it from coming back")
}

// text is the story for people.
func (s *story) text() string {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	if len(s.Bans) == 0 {
		line("%s is not banned.", s.Address)
	}
	if s.Allowlisted != "" {
		line("%s is on an allowlist: %s", s.Address, session.Printable(s.Allowlisted))
	}
	told := "" // about lines
	for i := range s.Bans {
		if i > 0 {
			line("")
		}
		s.Bans[i].tell(line)
		s.Bans[i].lines(line, told)
		told = cmp.Or(s.Bans[i].Parsers, told)
	}
	if len(s.Bans) > 0 {
		line("\nTo undo it:")
		for _, command := range s.Undo {
			line("  %s", command)
		}
	}
	if len(s.Earlier) > 0 {
		line("\nAlerts without a decision in force:")
		for _, e := range s.Earlier {
			line("  %s  %s  (alert %d)", e.At, session.Printable(e.Scenario), e.AlertID)
		}
	}
	return text.String()
}

// shownEvents is how many events of an alert people are shown.
const shownEvents = 3

type printer func(format string, args ...any)

func (b *ban) tell(line printer) {
	for _, d := range b.Decisions {
		simulated := ""
		if d.Simulated {
			simulated = ", simulated: nobody enforces it"
		}
		line("%s: %s for %s more (decision %d, origin %s%s)", session.Printable(d.Subject), session.Printable(d.Type), d.Remaining, d.ID, session.Printable(d.Origin), simulated)
		d.enforcement(line)
	}
	line("  alert %d of %s, from machine %s", b.AlertID, b.At, session.Printable(cmp.Or(b.Machine, "unknown")))
	if b.Message != "" {
		line("  %s", session.Printable(b.Message))
	}
	if len(b.Events) == 0 {
		line("  scenario %s: no log line has caused it", session.Printable(b.Scenario.Name))
		return
	}
	b.scenario(line)
	if b.Profile != "" {
		line("\nProfile: %s", session.Printable(b.Profile))
	}
	line("\nEvents:")
	for i, event := range b.Events {
		if i == shownEvents {
			line("  and %d more: cscli alerts inspect -d %d", len(b.Events)-i, b.AlertID)
			break
		}
		line("  %s", session.Printable(event.At))
		for _, key := range sortedKeys(event.Meta) {
			line("    %s: %s", session.Printable(key), session.Printable(event.Meta[key]))
		}
	}
}

func (b *ban) scenario(line printer) {
	line("\nScenario: %s", strings.TrimSpace(session.Printable(b.Scenario.Name+" "+b.Scenario.Version)))
	switch {
	case b.Scenario.Capacity > 0:
		line("  a bucket for %d that loses one every %s overflowed after %d events", b.Scenario.Capacity, b.Scenario.Leakspeed, b.Scenario.Events)
	default:
		line("  %d events were enough", b.Scenario.Events)
	}
	line("  from %s to %s", b.Scenario.Begin, b.Scenario.End)
}

// lines tells them unless that is what was told before.
func (b *ban) lines(line printer, before string) {
	if b.LinesNote != "" {
		line("\nLines: %s", b.LinesNote)
	}
	if b.Parsers != "" && b.Parsers == before {
		line("\nLines: the same as above")
		return
	}
	if b.Parsers != "" {
		line("\nLines, and what the parsers make of them:\n%s", strings.TrimRight(b.Parsers, "\n"))
		return
	}
	for _, text := range b.Lines {
		line("  %s", session.Printable(text))
	}
}

func (d *decision) enforcement(line printer) {
	switch {
	case d.Unknown != "":
		line("  where it is enforced is unknown: %s", session.Printable(d.Unknown))
	case len(d.Components) == 0:
		line("  nobody enforces it: there is no bouncer")
	}
	for _, c := range d.Components {
		line("  %s: %s", strings.TrimSpace(session.Printable(c.Name+" "+c.Type)), c.words())
	}
}

// words says how far a decision got on a component.
func (c component) words() string {
	switch c.State {
	case wire.EnforcementVerified:
		return "enforces it, read back at " + instant(c.VerifiedAt)
	case wire.EnforcementApplied:
		return "enforces it, as its kernel has acknowledged"
	case wire.EnforcementPulled:
		return "was told; last asked at " + instant(c.LastPull)
	case wire.EnforcementPending:
		return "was not told yet"
	case wire.EnforcementSilent:
		return "was not heard of since " + instant(c.LastPull)
	case wire.EnforcementExcluded:
		return "does not enforce it: its filters leave it out"
	}
	return session.Printable(string(c.State))
}

func instant(at time.Time) string {
	if at.IsZero() {
		return "it was added"
	}
	return at.UTC().Format(time.RFC3339)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
