package output

import (
	"bytes"
	"encoding/json"
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
	body := strconv.AppendUint(nil, number, 10)
	body = append(append(body, ' '), alert...)
	dst = fmt.Appendf(dst, "%08x ", checksum(body))
	return append(append(dst, body...), '\n')
}

// openRecord checks a record, which comes without its newline, and returns its number and its JSON, a part of text.
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
	if !json.Valid(encoded) {
		return 0, nil, fmt.Errorf("%w: no JSON", errDamaged)
	}
	return number, encoded, nil
}

func checksum(body []byte) uint32 {
	return crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
}
