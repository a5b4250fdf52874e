package output

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
)

// A record is one line: the CRC-32C of the rest in eight hexadecimal digits, a space, the number of the
// record, a space, the alert as JSON, a newline. JSON has no raw newline inside, so damage ends with its
// line.

const (
	checksumDigits = 8
	maxNumber      = 1 << 62 // no spool comes near; larger ones are damage, and would overflow
)

var errDamaged = errors.New("damaged record")

// encodeRecord appends a record to dst.
func encodeRecord(dst []byte, number uint64, alert []byte) []byte {
	begin := len(dst)
	dst = append(dst, "00000000 "...)
	dst = append(strconv.AppendUint(dst, number, 10), ' ')
	dst = append(dst, alert...)
	copy(dst[begin:], fmt.Appendf(nil, "%0*x", checksumDigits, checksum(dst[begin+checksumDigits+1:])))
	return append(dst, '\n')
}

// openRecord checks a record, which comes without its newline, and returns its number and its alert, a part of text:
// what the checksum is right of was JSON when it was written.
func openRecord(text []byte) (uint64, []byte, error) {
	if len(text) <= checksumDigits || text[checksumDigits] != ' ' {
		return 0, nil, fmt.Errorf("%w: too short", errDamaged)
	}
	body := text[checksumDigits+1:]
	want, err := strconv.ParseUint(string(text[:checksumDigits]), 16, 32)
	if err != nil || uint32(want) != checksum(body) {
		return 0, nil, fmt.Errorf("%w: checksum differs", errDamaged)
	}
	digits, encoded, _ := bytes.Cut(body, []byte{' '})
	number, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil || number == 0 || number > maxNumber {
		return 0, nil, fmt.Errorf("%w: no number", errDamaged)
	}
	return number, encoded, nil
}

func checksum(body []byte) uint32 {
	return crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
}
