package tap

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/logprocessor/tap"
	"shieldwall/internal/wire"
)

// paragraph is an event for a person: a line that says what happened, and below what is known.
func paragraph(e tap.Event, fancy bool) string {
	var b strings.Builder
	if e.Dropped > 0 {
		fmt.Fprintf(&b, "... %d events left out, this view does not keep up\n", e.Dropped)
	}
	fmt.Fprintf(&b, "%s %s %s\n", e.Time.Format(time.TimeOnly), stage(e.Stage, fancy), session.Printable(headline(e)))
	details(&b, "meta", e.Meta)
	details(&b, "enriched", e.Enriched)
	if e.Whitelisted != "" {
		fmt.Fprintf(&b, "         whitelisted: %s\n", session.Printable(e.Whitelisted))
	}
	return b.String()
}

func headline(e tap.Event) string {
	switch e.Stage {
	case tap.Matched:
		return strings.Join(e.Scenarios, ", ") + " <- " + e.Line
	case tap.Overflow:
		return message(e)
	default:
		return e.Line
	}
}

func details(b *strings.Builder, name string, of map[string]string) {
	if len(of) == 0 {
		return
	}
	fmt.Fprintf(b, "         %s:", name)
	for _, key := range slices.Sorted(maps.Keys(of)) {
		fmt.Fprintf(b, " %s=%s", session.Printable(key), session.Printable(of[key]))
	}
	b.WriteByte('\n')
}

// stage pads before it colors: colors have no width.
func stage(stage tap.Stage, fancy bool) string {
	padded := fmt.Sprintf("%-8s", session.Printable(string(stage)))
	if !fancy {
		return padded
	}
	switch stage {
	case tap.Parsed:
		return text.FgGreen.Sprint(padded)
	case tap.Unparsed:
		return text.FgYellow.Sprint(padded)
	case tap.Matched:
		return text.FgCyan.Sprint(padded)
	case tap.Overflow:
		return text.FgRed.Sprint(padded)
	default:
		return padded
	}
}

// message is what the alert of an overflow says.
func message(e tap.Event) string {
	var alert wire.Alert
	if err := json.Unmarshal(e.Alert, &alert); err != nil {
		return "an alert that this cscli cannot read"
	}
	return alert.Message
}
