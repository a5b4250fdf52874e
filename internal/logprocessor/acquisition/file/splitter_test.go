package file

import (
	"bufio"
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// scan is the oracle: what bufio.Scanner makes of the same bytes.
func scan(data []byte, limit int) (lines []string, tooLong bool) {
	scanner := bufio.NewScanner(bytes.NewReader(data))
	scanner.Buffer(make([]byte, 0, min(limit, 16)), limit)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines, scanner.Err() != nil
}

// splitAsCat is how finished files are read, in pieces of the given size.
func splitAsCat(data []byte, limit, piece int) (texts []string, tooLong bool) {
	s := splitter{limit: limit - 1}
	var lines []line
	for part := range slices.Chunk(data, piece) {
		lines = s.push(lines, part)
	}
	for _, l := range s.flush(lines) {
		if l.cut {
			return texts, true
		}
		texts = append(texts, strings.TrimSuffix(l.text, "\r"))
	}
	return texts, false
}

func FuzzSplitter(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\nthree"), uint8(10), uint8(3))
	f.Add([]byte("exactly ten"), uint8(11), uint8(4))
	f.Add([]byte("\r\n\r\r\n\n"), uint8(2), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, limit, piece uint8) {
		if limit == 0 || piece == 0 {
			return
		}
		want, wantTooLong := scan(data, int(limit))
		got, tooLong := splitAsCat(data, int(limit), int(piece))
		if !slices.Equal(got, want) || tooLong != wantTooLong {
			t.Fatalf("got %q, %v; a scanner gives %q, %v", got, tooLong, want, wantTooLong)
		}
	})
}

// The law of offsets: continuing after any line gives the lines that follow it.
func TestSplitterOffsetsAreBoundaries(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := []byte(rapid.StringOfN(rapid.RuneFrom([]rune("ab\n\r")), 0, 200, -1).Draw(t, "data"))
		piece := rapid.IntRange(1, 50).Draw(t, "piece")
		limit := rapid.IntRange(1, 8).Draw(t, "limit")
		whole := splitAll(data, 0, limit, piece)
		for i, l := range whole {
			rest := splitAll(data, l.end, limit, piece)
			if !slices.Equal(rest, whole[i+1:]) {
				t.Fatalf("after line %d (%+v): %v, want %v", i, l, rest, whole[i+1:])
			}
		}
	})
}

func splitAll(data []byte, offset int64, limit, piece int) []line {
	s := splitter{limit: limit, offset: offset}
	var lines []line
	for part := range slices.Chunk(data[offset:], piece) {
		lines = s.push(lines, part)
	}
	return s.flush(lines)
}

func TestSplitterBoundsWhatItHolds(t *testing.T) {
	t.Parallel()
	s := splitter{limit: 10}
	for range 1000 {
		if lines := s.push(nil, []byte("0123456789")); len(lines) > 0 {
			t.Fatalf("lines %v without a newline", lines)
		}
	}
	if len(s.held) > 11 {
		t.Fatalf("%d bytes held, limit is 10", len(s.held))
	}
	got := s.push(nil, []byte("x\nnext\n"))
	want := []line{{"0123456789", 10_002, true}, {"next", 10_007, false}}
	if !slices.Equal(got, want) {
		t.Fatalf("lines %v, want %v", got, want)
	}
}

func BenchmarkSplitter(b *testing.B) {
	text := strings.Repeat(strings.Repeat("x", 200)+"\n", 64<<10/201+1)[:64<<10]
	s := splitter{limit: maxLine}
	chunk := []byte(text)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	var lines []line
	for b.Loop() {
		lines = s.push(lines[:0], chunk)
	}
}
