package savepoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"time"
)

// errTooLarge says that a file would become larger than it may.
var errTooLarge = errors.New("too large")

// sink writes what a file consists of. After the first error it writes nothing.
type sink struct {
	out     *bufio.Writer
	written summed
	size    int64 // what is not flushed yet included
	limit   int64
	err     error
	scratch [binary.MaxVarintLen64]byte
}

// summed writes through, and knows the checksum of everything.
type summed struct {
	to  io.Writer
	sum uint32
}

// Write satisfies io.Writer.
func (s *summed) Write(bytes []byte) (int, error) {
	s.sum = crc32.Update(s.sum, castagnoli(), bytes)
	return s.to.Write(bytes)
}

// newSink returns a sink for what follows after so many bytes, of that checksum, and ends at limit.
func newSink(to io.Writer, size int64, sum uint32, limit int64) *sink {
	s := &sink{written: summed{to: to, sum: sum}, size: size, limit: limit}
	s.out = bufio.NewWriterSize(&s.written, bufferSize)
	return s
}

func (s *sink) write(bytes []byte) {
	if s.fits(len(bytes)) {
		_, s.err = s.out.Write(bytes)
	}
}

func (s *sink) fits(length int) bool {
	s.size += int64(length)
	if s.err == nil && s.size > s.limit {
		s.err = errTooLarge
	}
	return s.err == nil
}

func (s *sink) flush() error {
	if s.err == nil {
		s.err = s.out.Flush()
	}
	return s.err
}

func (s *sink) byte(value byte) { s.write(append(s.scratch[:0], value)) }

func (s *sink) bool(value bool) {
	if value {
		s.byte(1)
	} else {
		s.byte(0)
	}
}

func (s *sink) uvarint(value uint64) { s.write(binary.AppendUvarint(s.scratch[:0], value)) }

func (s *sink) varint(value int64) { s.write(binary.AppendVarint(s.scratch[:0], value)) }

func (s *sink) float(value float64) {
	s.write(binary.LittleEndian.AppendUint64(s.scratch[:0], math.Float64bits(value)))
}

func (s *sink) text(text string) {
	s.uvarint(uint64(len(text)))
	if s.fits(len(text)) {
		_, s.err = s.out.WriteString(text)
	}
}

// time writes a time to the minute of its zone.
func (s *sink) time(t time.Time) {
	s.varint(t.Unix())
	s.uvarint(uint64(t.Nanosecond())) //nolint:gosec // never negative
	_, offset := t.Zone()
	s.varint(int64(offset / 60))
}

func writeList[E any](s *sink, elements []E, write func(E)) {
	s.uvarint(uint64(len(elements)))
	for _, element := range elements {
		write(element)
	}
}

// source reads what a sink wrote, or anything else. After the first error it yields zero values.
type source struct {
	in     *bufio.Reader
	offset int64
	err    error
}

// fail ends the reading; a nil error does not.
func (s *source) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// ended reports whether there is nothing more to read.
func (s *source) ended() bool {
	if s.err != nil {
		return true
	}
	_, err := s.in.Peek(1)
	if err != nil && !errors.Is(err, io.EOF) {
		s.fail(err)
	}
	return err != nil
}

func (s *source) byte() byte {
	if s.err != nil {
		return 0
	}
	value, err := s.in.ReadByte()
	s.offset++
	s.fail(unexpected(err))
	return value
}

func (s *source) bool() bool { return s.byte() != 0 }

func (s *source) uvarint() uint64 {
	if s.err != nil {
		return 0
	}
	value, err := binary.ReadUvarint(counted{s})
	s.fail(unexpected(err))
	return value
}

func (s *source) varint() int64 {
	if s.err != nil {
		return 0
	}
	value, err := binary.ReadVarint(counted{s})
	s.fail(unexpected(err))
	return value
}

// counted reads single bytes of a source.
type counted struct{ *source }

// ReadByte satisfies io.ByteReader.
func (c counted) ReadByte() (byte, error) {
	c.offset++
	return c.in.ReadByte()
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// int reads a number of things.
func (s *source) int() int {
	value := s.uvarint()
	if value > math.MaxInt32 {
		s.fail(errors.New("number is too large"))
		return 0
	}
	return int(value)
}

func (s *source) float() float64 {
	bytes := s.fixed(8)
	if s.err != nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64([]byte(bytes)))
}

func (s *source) text() string { return s.fixed(s.int()) }

// fixed reads so many bytes. What is not there takes no memory, whatever length is claimed.
func (s *source) fixed(length int) string {
	if s.err != nil {
		return ""
	}
	var text strings.Builder
	count, err := io.CopyN(&text, s.in, int64(length))
	s.offset += count
	s.fail(unexpected(err))
	return text.String()
}

func (s *source) time() time.Time {
	seconds, nanoseconds, zone := s.varint(), s.uvarint(), s.varint()
	if nanoseconds >= uint64(time.Second) || zone <= -24*60 || zone >= 24*60 {
		s.fail(errors.New("time of no calendar"))
		return time.Time{}
	}
	t := time.Unix(seconds, int64(nanoseconds))
	if zone == 0 {
		return t.UTC()
	}
	return t.In(time.FixedZone("", int(zone)*60))
}

func readList[E any](s *source, read func() E) []E {
	var elements []E
	for range s.int() {
		if s.err != nil {
			return nil
		}
		elements = append(elements, read())
	}
	return elements
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }
