package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"shieldwall/internal/wire"
)

// collector keeps what it is shown.
type collector struct{ begun, ceased []wire.Decision }

func (c *collector) Begin(decision *wire.Decision) { c.begun = append(c.begun, *decision) }

func (c *collector) Cease(decision *wire.Decision) { c.ceased = append(c.ceased, *decision) }

func TestStreamIsShownDecisionByDecision(t *testing.T) {
	t.Parallel()
	body := `{"deleted": null, "more": {"new": [1]}, "new": [
		{"duration":"3h53m50s","id":1,"origin":"crowdsec","scenario":"a\u00e9","scope":"Ip","type":"ban","uuid":"u","value":"192.0.2.1"},
		{"value": null, "simulated": false, "extra": [{}]}, {}]}`
	var got collector
	if err := wire.VisitStream(iotest.OneByteReader(strings.NewReader(body)), &got); err != nil {
		t.Fatal(err)
	}
	want := []wire.Decision{
		{Duration: "3h53m50s", Origin: "crowdsec", Scenario: "aé", Scope: "Ip", Type: "ban", Value: "192.0.2.1"}, {}, {},
	}
	if !slices.Equal(got.begun, want) || got.ceased != nil {
		t.Errorf("got %+v", got)
	}
}

// TestMillionsOfDecisions: more than a body that somebody sends may have.
func TestMillionsOfDecisions(t *testing.T) {
	t.Parallel()
	const many = 600_000
	r, w := io.Pipe()
	go func() {
		_, _ = io.WriteString(w, `{"new":[{}`)
		for range many - 1 {
			_, _ = io.WriteString(w, `,{}`)
		}
		_, _ = io.WriteString(w, `],"deleted":[]}`)
		_ = w.Close()
	}()
	var got tally
	if err := wire.VisitStream(r, &got); err != nil || got != many {
		t.Errorf("%d decisions, %v", got, err)
	}
}

type tally int

func (c *tally) Begin(*wire.Decision) { *c++ }

func (c *tally) Cease(*wire.Decision) {}

// TestStreamThatIsCut at any byte is an error, and not the end of something.
func TestStreamThatIsCut(t *testing.T) {
	t.Parallel()
	body := `{"new":[{"value":"192.0.2.1","id":12,"simulated":true}],"deleted":[]}`
	for length := range len(body) {
		if err := wire.VisitStream(strings.NewReader(body[:length]), &collector{}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", body[:length], err)
		}
	}
}

// FuzzVisitStream: what is accepted, encoding/json accepts too, with the same outcome.
func FuzzVisitStream(f *testing.F) {
	for _, seed := range []string{
		`{"new": [{"duration":"3h53m50s","id":1,"origin":"crowdsec","scenario":"x","scope":"Ip","type":"ban","uuid":"u","value":"1.2.3.4"}], "deleted": []}`,
		`{"new":null,"deleted":null}`, `{"deleted":[],"other":{"a":[1]},"new":[{}]}`, `{"new":[],"deleted":[]} {}`, `{"new":[`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got collector
		if err := wire.VisitStream(bytes.NewReader(body), &got); err != nil {
			return
		}
		var want struct {
			New     []texts `json:"new"`
			Deleted []texts `json:"deleted"`
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("accepted %q, encoding/json says %v", body, err)
		}
		if fmt.Sprint(textsOf(got.begun), textsOf(got.ceased)) != fmt.Sprint(want.New, want.Deleted) {
			t.Fatalf("%q: got %+v, want %+v", body, got, want)
		}
	})
}

// texts are the texts of a decision.
type texts struct {
	Duration string `json:"duration"`
	Origin   string `json:"origin"`
	Scenario string `json:"scenario"`
	Scope    string `json:"scope"`
	Type     string `json:"type"`
	Value    string `json:"value"`
}

func textsOf(decisions []wire.Decision) []texts {
	var list []texts
	for _, d := range decisions {
		list = append(list, texts{d.Duration, d.Origin, d.Scenario, d.Scope, d.Type, d.Value})
	}
	return list
}
