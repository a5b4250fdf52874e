package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

const fullAlert = `{"capacity":-1,"decisions":[{"duration":"4h","id":7,"origin":"cscli","scenario":"s","scope":"ip","simulated":true,"type":"ban","until":"x","uuid":"u","value":"192.0.2.1"}],"events":[{"meta":[{"key":"k","value":"v"}],"timestamp":"2026-11-21T18:04:00.5Z"}],"events_count":6,"id":3,"kind":"crowdsec","labels":["l"],"leakspeed":"10s","machine_id":"m","message":"msg","meta":[{"key":"a","value":"b"}],"remediation":true,"scenario":"s","scenario_hash":"h","scenario_version":"1","simulated":false,"source":{"as_name":"n","as_number":"1","cn":"FR","ip":"192.0.2.1","latitude":1.5,"longitude":2.5,"range":"192.0.2.0/24","scope":"Ip","value":"192.0.2.1"},"start_at":"2026-11-21T18:00:00Z","stop_at":"2026-11-21T18:05:00Z","uuid":"id","unknown":{}}`

func TestDecodeAlertsTakesWhatClientsMaySay(t *testing.T) {
	t.Parallel()
	alerts, err := wire.DecodeAlerts(strings.NewReader(" [" + fullAlert + ", " + fullAlert + "] "))
	if err != nil || len(alerts) != 2 {
		t.Fatalf("%d alerts, %v", len(alerts), err)
	}
	var want wire.Alert
	if err := json.Unmarshal([]byte(fullAlert), &want); err != nil {
		t.Fatal(err)
	}
	// These are assigned by the server, whatever a client says.
	want.ID, want.MachineID = 0, ""
	want.Decisions[0].ID, want.Decisions[0].UUID, want.Decisions[0].Until = 0, "", ""
	if !reflect.DeepEqual(alerts[1], want) {
		t.Errorf("got  %+v\nwant %+v", alerts[1], want)
	}
}

// TestDecodingIsLinear would take minutes if white space were looked at again after every read.
func TestDecodingIsLinear(t *testing.T) {
	t.Parallel()
	body := io.MultiReader(strings.NewReader("["), strings.NewReader(strings.Repeat(" ", 8<<20)), strings.NewReader("]"))
	began := time.Now()
	if _, err := wire.DecodeAlerts(&smallReads{body}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

// smallReads hands out no more than a connection does.
type smallReads struct{ r io.Reader }

func (s *smallReads) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), 1024)]) }

func TestWorthlessBodiesAreGivenUpEarly(t *testing.T) {
	t.Parallel()
	body := &countingReader{r: strings.NewReader("[" + strings.Repeat("{},", 1<<20) + "{}]")}
	_, err := wire.DecodeAlerts(body)
	var incomplete *wire.ValidationError
	if !errors.As(err, &incomplete) || len(incomplete.Problems) > 200 {
		t.Errorf("got %.200v", err)
	}
	if body.n > 64<<10 {
		t.Errorf("%d bytes were read", body.n)
	}
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func TestBrokenBodiesAreInvalid(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection lost")
	for name, body := range map[string]io.Reader{
		"cut":     strings.NewReader("[" + fullAlert),
		"lost":    io.MultiReader(strings.NewReader("["+fullAlert+","), iotest.ErrReader(broken)),
		"object":  strings.NewReader("{}"),
		"number":  strings.NewReader("1"),
		"bracket": strings.NewReader("]"),
		"empty":   strings.NewReader(""),
	} {
		_, err := wire.DecodeAlerts(body)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "lost" && !errors.Is(err, broken) {
			t.Errorf("the cause is lost: %v", err)
		}
	}
}

func FuzzDecodeAlerts(f *testing.F) {
	f.Add([]byte("[" + fullAlert + "]"))
	f.Add([]byte("null"))
	f.Add([]byte(`[{"events":[null],"decisions":[null],"source":null}]`))
	f.Add([]byte(`[{}]`))
	now := time.Unix(1_800_000_000, 0)
	f.Fuzz(func(t *testing.T, body []byte) {
		alerts, err := wire.DecodeAlerts(bytes.NewReader(body))
		var incomplete *wire.ValidationError
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !errors.As(err, &incomplete) {
				t.Fatalf("%v is nobody's fault", err)
			}
			return
		}
		again, err := json.Marshal(alerts)
		if err != nil {
			t.Fatal(err)
		}
		same, err := wire.DecodeAlerts(bytes.NewReader(again))
		if err != nil || len(same) != len(alerts) {
			t.Fatalf("what was decoded does not decode again: %v", err)
		}
		for i := range alerts {
			if _, err := alerts[i].ToDomain(now); err != nil && !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
		}
	})
}

func FuzzDecodeLogin(f *testing.F) {
	f.Add([]byte(`{"machine_id":"m","password":"p","scenarios":["a"]}`))
	f.Add([]byte(`{"machine_id":"m","password":"p","registration_token":"t"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var incomplete *wire.ValidationError
		if _, err := wire.DecodeLogin(bytes.NewReader(body)); err != nil && !fault.Is(err, fault.Invalid) && !errors.As(err, &incomplete) {
			t.Errorf("login: %v", err)
		}
		if _, err := wire.DecodeRegistration(bytes.NewReader(body)); err != nil && !fault.Is(err, fault.Invalid) && !errors.As(err, &incomplete) {
			t.Errorf("registration: %v", err)
		}
	})
}
