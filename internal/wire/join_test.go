package wire_test

import (
	"errors"
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

func TestDecodeJoin(t *testing.T) {
	t.Parallel()
	join, err := wire.DecodeJoin(strings.NewReader(`{"secret":"s","csr":"c","more":1}`))
	if err != nil || join != (wire.Join{Secret: "s", CSR: "c"}) {
		t.Errorf("got %+v, %v", join, err)
	}
	renewal, err := wire.DecodeRenewal(strings.NewReader(`{"csr":"c"}`))
	if err != nil || renewal != (wire.Renewal{CSR: "c"}) {
		t.Errorf("got %+v, %v", renewal, err)
	}
	var incomplete *wire.ValidationError
	_, err = wire.DecodeJoin(strings.NewReader(`{}`))
	if !errors.As(err, &incomplete) || err.Error() != "validation failure list:\ncsr in body is required\nsecret in body is required" {
		t.Errorf("got %v", err)
	}
	if _, err = wire.DecodeRenewal(strings.NewReader(`{"csr":null}`)); !errors.As(err, &incomplete) {
		t.Errorf("got %v", err)
	}
	for _, garbled := range []string{"", "[", `{"csr":1}`} {
		_, joinErr := wire.DecodeJoin(strings.NewReader(garbled))
		_, renewErr := wire.DecodeRenewal(strings.NewReader(garbled))
		if !fault.Is(joinErr, fault.Invalid) || !fault.Is(renewErr, fault.Invalid) {
			t.Errorf("%q: %v, %v", garbled, joinErr, renewErr)
		}
	}
}
