package wire_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

func TestStandingIsWhatItWas(t *testing.T) {
	t.Parallel()
	text := `{"applied":9,"verified":7,"verified_at":"2026-11-22T06:00:00Z","wanted":10,"missing":1,"stale":2,"foreign":3,"types":["ban"],"ipv4":true,"ipv6":false}`
	standing, err := wire.DecodeStanding(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(standing); err != nil || string(again) != text {
		t.Errorf("%s, %v", again, err)
	}
}

func TestStandingThatMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "null", "{}", "[]", `{"types":["ban"]} x`, `{"types":["ban"],"applied":-1}`, `{"types":["ban"],"missing":1}`,
		`{"types":[""]}`, `{"types":["ban"],"applied":"1"}`, `{"types":["` + strings.Repeat("x", 5000) + `"]}`,
		`{"types":["ban"],"foreign":-3}`,
	} {
		if standing, err := wire.DecodeStanding(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.60s: %+v, %v", text, standing, err)
		}
	}
}

func FuzzDecodeStanding(f *testing.F) {
	f.Add(`{"applied":9,"verified":7,"wanted":10,"types":["ban"],"ipv4":true}`)
	f.Add(`{"types":["ban"],"verified_at":"0001-01-01T00:00:00Z"}`)
	f.Fuzz(func(t *testing.T, text string) {
		standing, err := wire.DecodeStanding(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("kind of %v", err)
			}
			return
		}
		again, err := json.Marshal(standing)
		if err != nil {
			t.Skip("a time that JSON cannot say")
		}
		if len(again) > 4096 {
			return // escapes are longer than what they stand for
		}
		if twice, err := wire.DecodeStanding(string(again)); err != nil || !reflect.DeepEqual(twice, standing) {
			t.Errorf("%+v became %+v, %v", standing, twice, err)
		}
	})
}
