package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"shieldwall/internal/domain/fault"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, test := range []struct {
		name string
		err  error
		want fault.Kind
		text string
	}{
		{"unmarked", cause, fault.Internal, "cause"},
		{"marked", fault.Mark(fault.NotFound, cause), fault.NotFound, "cause"},
		{"made", fault.Errorf(fault.Invalid, "reading: %w", cause), fault.Invalid, "reading: cause"},
		{"wrapped", fmt.Errorf("reading: %w", fault.Mark(fault.Exists, cause)), fault.Exists, "reading: cause"},
		{"the outermost counts", fault.Mark(fault.Forbidden, fault.Mark(fault.Exists, cause)), fault.Forbidden, "cause"},
		{"joined", errors.Join(errors.New("other"), fault.Mark(fault.TooLarge, cause)), fault.TooLarge, "other\ncause"},
	} {
		if got := fault.KindOf(test.err); got != test.want || !fault.Is(test.err, test.want) {
			t.Errorf("%s: kind %v, want %v", test.name, got, test.want)
		}
		if test.err.Error() != test.text || !errors.Is(test.err, cause) {
			t.Errorf("%s: %v has lost its text or its cause", test.name, test.err)
		}
	}
}

func TestNoErrorHasNoKind(t *testing.T) {
	t.Parallel()
	if fault.Mark(fault.Invalid, nil) != nil {
		t.Error("marking nil made an error")
	}
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		if fault.Is(nil, kind) {
			t.Errorf("nil is %v", kind)
		}
	}
}

func TestEveryKindHasAName(t *testing.T) {
	t.Parallel()
	names := map[string]fault.Kind{}
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		name := kind.String()
		if other, taken := names[name]; taken || name == "" {
			t.Errorf("%d and %d are both %q", kind, other, name)
		}
		names[name] = kind
	}
}
