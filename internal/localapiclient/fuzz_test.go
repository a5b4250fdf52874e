package localapiclient

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"shieldwall/internal/wire"
)

// What the stream decoder accepts, encoding/json must accept too, with the same outcome.
func FuzzStreamDecoding(f *testing.F) {
	for _, seed := range []string{
		`{"new": [{"duration":"3h53m50s","id":1,"origin":"crowdsec","scenario":"x","scope":"Ip","type":"ban","uuid":"u","value":"1.2.3.4"}], "deleted": []}`,
		`{"new":null,"deleted":null}`, `{"deleted":[],"other":{"a":[1]},"new":[{}]}`, `{"new":[],"deleted":[]} {}`, `{"new":[`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var stream wire.DecisionsStream
		if err := intoStream(&stream)(bytes.NewReader(body)); err != nil {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("accepted %q, encoding/json says %v", body, err)
		}
		for name, got := range map[string][]wire.Decision{"new": stream.New, "deleted": stream.Deleted} {
			var decisions []wire.Decision
			if err := json.Unmarshal(want[name], &decisions); err != nil {
				t.Fatalf("accepted %q, encoding/json says %v", body, err)
			}
			if len(got) != len(decisions) || len(got) > 0 && !reflect.DeepEqual(got, decisions) {
				t.Fatalf("%q: got %+v, want %+v", body, got, decisions)
			}
		}
	})
}

// An accepted answer is one JSON document and nothing else.
func FuzzAlertDecoding(f *testing.F) {
	f.Add([]byte(`[{"capacity":5,"decisions":[{"duration":"1h","id":1,"simulated":false}],"events":null,"labels":null,"source":{"scope":"Ip","latitude":48.5}}]`))
	f.Add([]byte(`null`))
	f.Add([]byte(`[] []`))
	f.Add([]byte(`["1"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var alerts []wire.Alert
		if err := into(&alerts)(bytes.NewReader(body)); err == nil && !json.Valid(body) {
			t.Fatalf("accepted %q", body)
		}
	})
}
