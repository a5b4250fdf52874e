package journalctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxMessage bounds a message in bytes; what is longer is cut.
const maxMessage = 64 << 10

// entry is one entry of the journal.
type entry struct {
	cursor string
	at     time.Time // when the journal received it
	lines  []string  // none when there is nothing to read in it
	cut    bool
}

// document is an entry as journalctl writes it in JSON.
type document struct {
	Cursor     text `json:"__CURSOR"`
	Received   text `json:"__REALTIME_TIMESTAMP"`       // µs since 1970
	Sent       text `json:"_SOURCE_REALTIME_TIMESTAMP"` // likewise, empty if nobody said
	Message    text `json:"MESSAGE"`
	Hostname   text `json:"_HOSTNAME"`
	Identifier text `json:"SYSLOG_IDENTIFIER"`
	Command    text `json:"_COMM"`
	PID        text `json:"_PID"`
	SyslogPID  text `json:"SYSLOG_PID"`
}

// text is the value of a field: a string, a list of bytes if it is no plain text, or a list of these if the field is
// there more than once, of which the last one counts. Nothing is the empty text.
type text string

// UnmarshalJSON satisfies json.Unmarshaler.
func (t *text) UnmarshalJSON(encoded []byte) error {
	value, err := decodeText(encoded)
	*t = text(value)
	return err
}

func decodeText(encoded []byte) (string, error) {
	var plain string
	if json.Unmarshal(encoded, &plain) == nil { // null too
		return plain, nil
	}
	var numbers []int
	if json.Unmarshal(encoded, &numbers) == nil {
		return fromBytes(numbers)
	}
	var values []json.RawMessage
	if err := json.Unmarshal(encoded, &values); err != nil {
		return "", fmt.Errorf("neither a text nor a list: %w", err)
	}
	return decodeLast(values)
}

// decodeLast decodes the last of several values, which are not several themselves.
func decodeLast(values []json.RawMessage) (string, error) {
	last := values[len(values)-1]
	var plain string
	if json.Unmarshal(last, &plain) == nil {
		return plain, nil
	}
	var numbers []int
	if err := json.Unmarshal(last, &numbers); err != nil {
		return "", fmt.Errorf("neither a text nor a list of bytes: %w", err)
	}
	return fromBytes(numbers)
}

func fromBytes(numbers []int) (string, error) {
	decoded := make([]byte, len(numbers))
	for i, number := range numbers {
		if number < 0 || number > 255 {
			return "", fmt.Errorf("%d is no byte", number)
		}
		decoded[i] = byte(number)
	}
	return string(decoded), nil
}

// parseEntry reads one line of JSON. Times are written in zone.
func parseEntry(encoded []byte, form form, zone *time.Location) (entry, error) {
	var d document
	if err := json.Unmarshal(encoded, &d); err != nil {
		return entry{}, fmt.Errorf("reading an entry: %w", err)
	}
	if d.Cursor == "" {
		return entry{}, errors.New("reading an entry: it has no cursor")
	}
	received, err := parseTime(d.Received)
	if err != nil {
		return entry{}, err
	}
	e := entry{cursor: string(d.Cursor), at: received}
	e.lines, e.cut = d.lines(form, received.In(zone), string(encoded))
	return e, nil
}

func parseTime(microseconds text) (time.Time, error) {
	count, err := strconv.ParseInt(string(microseconds), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the time of an entry: %w", err)
	}
	return time.UnixMicro(count), nil
}

// lines returns what journalctl would print.
func (d *document) lines(form form, received time.Time, encoded string) (lines []string, cut bool) {
	message := string(d.Message)
	if cut = len(message) > maxMessage; cut {
		message = message[:maxMessage]
	}
	switch {
	case form == whole:
		return []string{encoded}, false
	case message == "":
		return nil, false
	case form == cat:
		return indented("", message), cut
	}
	return indented(d.header(received), message), cut
}

// header is what comes before the message.
func (d *document) header(received time.Time) string {
	var header strings.Builder
	header.WriteString(d.sent(received).Format("Jan 02 15:04:05"))
	if d.Hostname != "" {
		header.WriteString(" " + string(d.Hostname))
	}
	header.WriteString(" " + string(first(d.Identifier, d.Command, "unknown")))
	if pid := first(d.PID, d.SyslogPID); pid != "" {
		header.WriteString("[" + string(pid) + "]")
	}
	header.WriteString(": ")
	return printable(header.String())
}

// sent returns when the entry was sent, as far as anybody knows.
func (d *document) sent(received time.Time) time.Time {
	if sent, err := parseTime(d.Sent); err == nil {
		return sent.In(received.Location())
	}
	return received
}

func first(values ...text) text {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// indented puts a header before the first line of a message, and as many blanks before all others: whoever can write
// more than one line into a message must not be able to write a line that looks like an entry.
func indented(header, message string) []string {
	var lines []string
	prefix := header
	for line := range strings.SplitSeq(strings.TrimRight(message, "\r\n"), "\n") {
		if len(lines) == 0 || strings.TrimSpace(line) != "" {
			lines = append(lines, prefix+printable(line))
		}
		prefix = strings.Repeat(" ", len(header))
	}
	return lines
}

// escapes are the sequences that colour a terminal.
var escapes = regexp.MustCompile(`\x1b(?:\[[0-9;:]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\))`)

// printable leaves colours out and makes tabs blanks, as journalctl does. Newlines of a header would forge a line.
func printable(line string) string {
	if !strings.ContainsAny(line, "\x1b\t\n") {
		return line
	}
	return strings.NewReplacer("\t", "        ", "\n", " ").Replace(escapes.ReplaceAllString(line, ""))
}
