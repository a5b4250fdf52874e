package corpus

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"
)

// TestWriteGolden compares with what the generator in Python wrote for the same arguments. The one long log
// is there because a rounding error would change few lines.
func TestWriteGolden(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind  Kind
		lines int
		seed  uint32
		sum   string
	}{
		{Nginx, 400, 1, "2a4f34881e3b55c28e9e096c1cddd23a59c0dd05175fde1b598967723cfdff40"},
		{SSHD, 400, 1, "7fcfe346d99d8e807efa617443b71e438d30ed8c75be7c5d62aaed57ebed283c"},
		{Mix, 400, 7, "3a7b5a6358168a11492078a08c5e418ac6155f37a68dfc02d4a156179854456e"},
		{Nginx, 300, 4294967295, "3b6630e4f74577d47b9db4adecbd7fe1bf591ff676d00546668fc6725d89593a"},
		{SSHD, 300, 0, "541304af86422b432a5fad93c07dec16a748b0283eb4c5f832512954aaadd255"},
		{Mix, 100000, 42, "708790b9912156dac67894687e5d2bec910a9a87d8ddbbe0cf183513d8ff71ec"},
	} {
		sum := sha256.New()
		if err := Write(sum, test.kind, test.lines, test.seed); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != test.sum {
			t.Errorf("%s %d %d: got a log with the sum %s, want %s", test.kind, test.lines, test.seed, got, test.sum)
		}
	}
}

func TestWriteNothing(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Write(&out, Nginx, 0, 1); err != nil || out.Len() != 0 {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestUnknownKind(t *testing.T) {
	t.Parallel()
	err := Write(io.Discard, "postfix", 1, 1)
	if err == nil || !strings.Contains(err.Error(), `"postfix"`) {
		t.Errorf("got %v", err)
	}
}

// TestReferenceWords compares with the first words that the authors of the generator publish for a key of
// four digits.
func TestReferenceWords(t *testing.T) {
	t.Parallel()
	r := &random{}
	r.seed([]uint32{0x123, 0x234, 0x345, 0x456})
	for i, want := range []uint32{1067595299, 955945823, 477289528, 4107218783, 4228976476} {
		if got := r.word(); got != want {
			t.Errorf("word %d: got %d, want %d", i, got, want)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, kind := range []Kind{Nginx, SSHD} {
		b.Run("kind="+string(kind), func(b *testing.B) {
			b.ReportAllocs()
			if err := Write(io.Discard, kind, b.N, 1); err != nil {
				b.Fatal(err)
			}
		})
	}
}
