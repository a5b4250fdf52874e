package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	"shieldwall/internal/wire"
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

// decodeRecord reads a record without its newline.
func decodeRecord(text []byte) (number uint64, alert wire.Alert, err error) {
	number, encoded, err := openRecord(text)
	if err != nil {
		return 0, wire.Alert{}, err
	}
	if err := json.Unmarshal(encoded, &alert); err != nil {
		return 0, wire.Alert{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return number, alert, nil
}

// openRecord checks a record and returns its number and its JSON.
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
