package localapiclient

import (
	"encoding/json"
	"fmt"
	"io"

	"shieldwall/internal/wire"
)

// intoStream returns a decoder for the answer of the decision stream. It reads element by element, so that
// a snapshot of a million decisions is never held twice, and it insists on both lists: an answer of
// something else that happens to be JSON must not look like "nothing to enforce".
func intoStream(stream *wire.DecisionsStream) func(io.Reader) error {
	return func(r io.Reader) error {
		decoder := json.NewDecoder(r)
		if err := decodeStream(decoder, stream); err != nil {
			return noEOF(err)
		}
		return atEnd(decoder)
	}
}

func decodeStream(decoder *json.Decoder, stream *wire.DecisionsStream) error {
	if err := expect(decoder, json.Delim('{')); err != nil {
		return err
	}
	seen := map[string]bool{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if seen[name] {
			return fmt.Errorf("%q appears twice", name)
		}
		seen[name] = true
		if err := decodeMember(decoder, name, stream); err != nil {
			return err
		}
	}
	for _, name := range []string{"new", "deleted"} {
		if !seen[name] {
			return fmt.Errorf("no %q in the stream", name)
		}
	}
	return expect(decoder, json.Delim('}'))
}

func decodeMember(decoder *json.Decoder, name string, stream *wire.DecisionsStream) error {
	var err error
	switch name {
	case "new":
		stream.New, err = decodeDecisions(decoder)
	case "deleted":
		stream.Deleted, err = decodeDecisions(decoder)
	default:
		var unknown json.RawMessage
		err = decoder.Decode(&unknown)
	}
	return err
}

// decodeDecisions reads an array, or the null that some servers write for an empty one.
func decodeDecisions(decoder *json.Decoder) ([]wire.Decision, error) {
	switch token, err := decoder.Token(); {
	case err != nil:
		return nil, err
	case token == nil:
		return nil, nil
	case token != json.Delim('['):
		return nil, fmt.Errorf("unexpected %v in the stream", token)
	}
	var decisions []wire.Decision
	for decoder.More() {
		var decision wire.Decision
		if err := decoder.Decode(&decision); err != nil {
			return nil, err
		}
		decisions = append(decisions, decision)
	}
	return decisions, expect(decoder, json.Delim(']'))
}

func expect(decoder *json.Decoder, want json.Delim) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("unexpected %v in the stream, want %v", token, want)
	}
	return nil
}
