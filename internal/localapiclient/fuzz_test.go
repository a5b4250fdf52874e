package localapiclient

import (
	"bytes"
	"encoding/json"
	"testing"

	"shieldwall/internal/wire"
)

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
