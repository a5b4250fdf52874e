package tap

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// SocketName is the name of the socket in the data folder.
const SocketName = "tap.sock"

// Stage is where in the pipeline an event is seen.
type Stage string

// The stages. All is for requests only.
const (
	All      Stage = "all"
	Parsed   Stage = "parsed"   // a line that a parser of the last stage understood
	Unparsed Stage = "unparsed" // a line that none did
	Matched  Stage = "matched"  // a line on its way into the buckets of scenarios
	Overflow Stage = "overflow" // a bucket's, after its postoverflows
)

// Request is what a viewer asks for.
type Request struct {
	Stage  Stage  `json:"stage,omitempty"`  // "" for All
	Filter string `json:"filter,omitempty"` // an expression over evt, "" for every event
	Limit  int    `json:"limit,omitempty"`  // how many events to send, 0 for no end
}

// Event is what a viewer is shown of an event.
type Event struct {
	Time        time.Time         `json:"time"` // of a line when it was read; of an overflow when it happened
	Stage       Stage             `json:"stage"`
	Source      string            `json:"source,omitempty"`
	Line        string            `json:"line,omitempty"`
	Parsed      map[string]string `json:"parsed,omitempty"`
	Meta        map[string]string `json:"meta,omitempty"`
	Enriched    map[string]string `json:"enriched,omitempty"`
	Whitelisted string            `json:"whitelisted,omitempty"` // the reason, when no scenario or no Local API gets to see it
	Scenarios   []string          `json:"scenarios,omitempty"`   // whose buckets a matched line reaches
	Alert       json.RawMessage   `json:"alert,omitempty"`       // of an overflow, as the Local API would get it
	Dropped     int64             `json:"dropped,omitempty"`     // how many events were left out just before this one
}

// reply is the answer to a request.
type reply struct {
	Error string `json:"error,omitempty"`
}

// maxRequest bounds the line of a request, in bytes.
const maxRequest = 16 << 10

func readRequest(from io.Reader) (Request, error) {
	line, err := bufio.NewReader(io.LimitReader(from, maxRequest)).ReadBytes('\n')
	if err != nil {
		return Request{}, fmt.Errorf("a request is one line of at most %d bytes", maxRequest)
	}
	return parseRequest(line)
}

// parseRequest also fills in the stage.
func parseRequest(line []byte) (Request, error) {
	var request Request
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return Request{}, fmt.Errorf("reading the request: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Request{}, errors.New("reading the request: something follows it")
	}
	if request.Limit < 0 {
		return Request{}, errors.New("a limit is 0, for none, or more")
	}
	switch request.Stage {
	case "":
		request.Stage = All
	case All, Parsed, Unparsed, Matched, Overflow:
	default:
		return Request{}, fmt.Errorf("unknown stage %q: it is one of all, parsed, unparsed, matched, overflow", request.Stage)
	}
	return request, nil
}
