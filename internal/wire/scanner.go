package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"shieldwall/internal/domain/fault"
)

const (
	windowSize   = 16 << 10
	interned     = 1024 // places for texts that are kept once
	internLength = 64   // bytes of the longest of them
)

// scanner reads JSON from a stream, value by value, and holds no more of it than one text. The first error
// stays: after it every method returns zero values, and loops end.
type scanner struct {
	r       io.Reader // bounded by a guard
	window  []byte
	at, end int // what is left of the window
	err     error
	literal []byte // of the text or number that was read last
	seed    maphash.Seed
	known   [interned]string // by their hash: the latest stays
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, window: make([]byte, windowSize), seed: maphash.MakeSeed()}
}

func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err = invalid(err)
	}
	s.at, s.end = 0, 0
}

// invalid marks err as the sender's fault, unless it says itself whose it is.
func invalid(err error) error {
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	return fault.Mark(fault.Invalid, err)
}

// fill makes sure that there is a byte at s.at, unless there is an error.
func (s *scanner) fill() bool {
	for s.err == nil && s.at == s.end {
		n, err := s.r.Read(s.window)
		s.at, s.end = 0, n
		if n == 0 && err != nil {
			s.fail(err)
		}
	}
	return s.err == nil
}

// next returns the first byte after white space, without taking it; 0 after an error.
func (s *scanner) next() byte {
	if s.at < s.end && s.window[s.at] > ' ' {
		return s.window[s.at]
	}
	for s.fill() {
		for ; s.at < s.end; s.at++ {
			switch b := s.window[s.at]; b {
			case ' ', '\t', '\r', '\n':
			default:
				return b
			}
		}
	}
	return 0
}

// unexpected fails because of the byte b that was seen instead of something else, or because the stream has
// ended there.
func (s *scanner) unexpected(b byte, where string) {
	if errors.Is(s.err, io.EOF) {
		s.err = fault.Mark(fault.Invalid, io.ErrUnexpectedEOF)
		return
	}
	s.fail(fmt.Errorf("invalid character %s %s", quoteByte(b), where))
}

func quoteByte(b byte) string {
	if b == '"' {
		return `'"'`
	}
	return strconv.QuoteRune(rune(b))
}

// object reads an object and calls member for the name of each member, in lower case, to read its value.
func (s *scanner) object(member func(name string)) {
	if b := s.next(); b != '{' {
		s.mismatch(b, "an object")
		return
	}
	s.at++
	if s.next() == '}' {
		s.at++
		return
	}
	for more := s.err == nil; more; more = s.more('}', "after object key:value pair") {
		if b := s.next(); b != '"' {
			s.unexpected(b, "looking for beginning of object key string")
			return
		}
		name := s.text()
		if b := s.next(); b != ':' {
			s.unexpected(b, "after object key")
			return
		}
		s.at++
		member(strings.ToLower(name)) // names were never compared by case
	}
	s.inside()
}

// array reads an array and calls element to read each of its elements.
func (s *scanner) array(element func(i int)) {
	if b := s.next(); b != '[' {
		s.mismatch(b, "an array")
		return
	}
	s.at++
	if s.next() == ']' {
		s.at++
		return
	}
	for i, more := 0, s.err == nil; more; i, more = i+1, s.more(']', "after array element") {
		element(i)
	}
	s.inside()
}

// inside makes the end of the stream an error that says that more should have come.
func (s *scanner) inside() {
	if errors.Is(s.err, io.EOF) {
		s.err = fault.Mark(fault.Invalid, io.ErrUnexpectedEOF)
	}
}

// more takes what follows an element and reports whether that is another one.
func (s *scanner) more(closing byte, where string) bool {
	switch b := s.next(); {
	case s.err != nil:
		return false
	case b == ',':
		s.at++
		return true
	case b == closing:
		s.at++
		return false
	default:
		s.unexpected(b, where)
		return false
	}
}

// mismatch fails because the value that begins with b is not what is wanted.
func (s *scanner) mismatch(b byte, wanted string) {
	if s.err != nil {
		return
	}
	kinds := map[byte]string{'{': "an object", '[': "an array", '"': "a text", 't': "a boolean", 'f': "a boolean", 'n': "null", '-': "a number"}
	is, known := kinds[b]
	if '0' <= b && b <= '9' {
		is, known = "a number", true
	}
	if !known {
		s.unexpected(b, "looking for beginning of value")
		return
	}
	s.fail(fmt.Errorf("%s where %s is wanted", is, wanted))
}

// null takes a null, if that is what comes.
func (s *scanner) null() bool {
	if s.next() != 'n' {
		return false
	}
	s.word("null")
	return true
}

func (s *scanner) word(word string) {
	for i := range len(word) {
		if !s.fill() {
			s.inside()
			return
		}
		if b := s.window[s.at]; b != word[i] {
			s.unexpected(b, fmt.Sprintf("in literal %s (expecting %s)", word, quoteByte(word[i])))
			return
		}
		s.at++
	}
}

func (s *scanner) boolean() bool {
	switch b := s.next(); b {
	case 't':
		s.word("true")
		return s.err == nil
	case 'f':
		s.word("false")
	default:
		s.mismatch(b, "a boolean")
	}
	return false
}

// text reads a text. Short ones that occur again and again are kept once.
func (s *scanner) text() string {
	if b := s.next(); b != '"' {
		s.mismatch(b, "a text")
		return ""
	}
	chunk := s.window[s.at+1 : s.end]
	if length := plainLength(chunk); length < len(chunk) && chunk[length] == '"' {
		s.at += len(`""`) + length
		return s.intern(chunk[:length])
	}
	plain := s.quoted()
	if s.err != nil {
		return ""
	}
	if plain {
		return s.intern(s.literal[1 : len(s.literal)-1])
	}
	var text string
	if err := json.Unmarshal(s.literal, &text); err != nil {
		s.fail(err)
	}
	return text
}

// quoted reads a text, with its quotes, into the literal. It reports whether every byte stands for itself.
func (s *scanner) quoted() (plain bool) {
	s.literal = append(s.literal[:0], '"')
	s.at++
	plain = true
	for s.fill() {
		chunk := s.window[s.at:s.end]
		length := plainLength(chunk)
		s.literal = append(s.literal, chunk[:length]...)
		s.at += length
		if length == len(chunk) {
			continue
		}
		b := chunk[length]
		s.literal = append(s.literal, b)
		s.at++
		switch {
		case b == '"':
			return plain
		case b == '\\' && s.fill():
			s.literal = append(s.literal, s.window[s.at])
			s.at++
		case b < ' ':
			s.unexpected(b, "in string literal")
		}
		plain = false
	}
	s.inside()
	return false
}

// special are the bytes that do not stand for themselves in a text, or end it.
var special = func() (special [256]bool) {
	for b := range special {
		special[b] = b == '"' || b == '\\' || b < ' ' || b >= utf8.RuneSelf
	}
	return special
}()

// plainLength returns how many bytes at the start of chunk stand for themselves and do not end a text.
func plainLength(chunk []byte) int {
	for i, b := range chunk {
		if special[b] {
			return i
		}
	}
	return len(chunk)
}

func (s *scanner) intern(literal []byte) string {
	if len(literal) > internLength {
		return string(literal)
	}
	known := &s.known[maphash.Bytes(s.seed, literal)%interned]
	if *known != string(literal) {
		*known = string(literal)
	}
	return *known
}

// integer reads a number of 32 bits.
func (s *scanner) integer() int32 { return int32(s.whole(32)) } //nolint:gosec // it has no more

// whole reads a number of so many bits.
func (s *scanner) whole(bits int) int64 {
	s.number()
	if s.err != nil {
		return 0
	}
	value, err := strconv.ParseInt(string(s.literal), 10, bits)
	if err != nil {
		s.fail(fmt.Errorf("%s where a whole number of %d bits is wanted", s.literal, bits))
	}
	return value
}

func (s *scanner) float() float32 {
	s.number()
	if s.err != nil {
		return 0
	}
	value, err := strconv.ParseFloat(string(s.literal), 32)
	if err != nil {
		s.fail(fmt.Errorf("%s where a number of 32 bits is wanted", s.literal))
	}
	return float32(value)
}

// number reads a number into the literal.
func (s *scanner) number() {
	if b := s.next(); b != '-' && (b < '0' || b > '9') {
		s.mismatch(b, "a number")
		return
	}
	s.literal = s.literal[:0]
	for s.fill() {
		b := s.window[s.at]
		if (b < '0' || b > '9') && b != '-' && b != '+' && b != '.' && b != 'e' && b != 'E' {
			break
		}
		s.literal = append(s.literal, b)
		s.at++
	}
	s.inside() // a number in a document never ends it
	if s.err == nil && !json.Valid(s.literal) {
		s.fail(fmt.Errorf("invalid number %.40s", s.literal))
	}
}

// skippedDepth is how deep a value may be nested that is skipped: as deep as for encoding/json.
const skippedDepth = 10_000

// skip reads a value that is of no interest.
func (s *scanner) skip() { s.skipNested(skippedDepth) }

func (s *scanner) skipNested(levels int) {
	switch b := s.next(); b {
	case '{', '[':
		if levels == 0 {
			s.fail(fmt.Errorf("a value is nested more than %d levels deep", skippedDepth))
			return
		}
		if b == '{' {
			s.object(func(string) { s.skipNested(levels - 1) })
			return
		}
		s.array(func(int) { s.skipNested(levels - 1) })
	case '"':
		s.text()
	case 't', 'f':
		s.boolean()
	case 'n':
		s.word("null")
	default:
		s.number()
	}
}

// atEnd makes sure that nothing follows, and returns what went wrong.
func (s *scanner) atEnd() error {
	if s.err != nil {
		return s.cause()
	}
	if b := s.next(); s.err == nil {
		return fmt.Errorf("unexpected %s after the answer", quoteByte(b))
	}
	if errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.cause()
}

// cause is the error, with an end in the middle as what it is.
func (s *scanner) cause() error {
	if errors.Is(s.err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return s.err
}
