package file

import (
	"bytes"
	"strings"
)

// splitter cuts a stream of bytes into lines. It keeps what follows the last newline until more comes.
type splitter struct {
	limit  int    // longest line in bytes, without its newline; longer ones are cut
	offset int64  // of the stream, after the last byte pushed
	held   []byte // the beginning of the last line, at most limit+1 bytes
}

// line is one line without its newline, and where the stream continues after it.
type line struct {
	text string
	end  int64
	cut  bool // longer than the limit, and shortened to it
}

// push appends the lines that chunk completes to dst. The lines share one copy of their bytes.
func (s *splitter) push(dst []line, chunk []byte) []line {
	complete := bytes.LastIndexByte(chunk, '\n') + 1
	if complete > 0 {
		dst = s.split(dst, chunk[:complete])
	}
	s.offset += int64(len(chunk) - complete)
	s.hold(chunk[complete:])
	return dst
}

// flush appends the line that is held, as if its newline had come.
func (s *splitter) flush(dst []line) []line {
	if len(s.held) == 0 {
		return dst
	}
	text := string(s.held)
	s.held = nil
	return append(dst, s.bound(text, s.offset))
}

// split cuts what is held and the bytes after it, which end with a newline.
func (s *splitter) split(dst []line, rest []byte) []line {
	var joined strings.Builder
	joined.Grow(len(s.held) + len(rest))
	joined.Write(s.held)
	joined.Write(rest)
	end := s.offset - int64(len(s.held)) // counting back from here stays right when the held line was cut
	s.held = nil
	s.offset += int64(len(rest))
	for text := range strings.Lines(joined.String()) {
		end += int64(len(text))
		dst = append(dst, s.bound(text[:len(text)-1], end))
	}
	return dst
}

// hold keeps the beginning of a line; one byte beyond the limit tells that it was longer.
func (s *splitter) hold(part []byte) {
	room := s.limit + 1 - len(s.held)
	s.held = append(s.held, part[:min(len(part), room)]...)
}

func (s *splitter) bound(text string, end int64) line {
	if len(text) > s.limit {
		return line{text[:s.limit], end, true}
	}
	return line{text, end, false}
}
