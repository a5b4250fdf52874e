package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// decodeIndex reads what index keeps. It steps over the rest without looking into it: an index is megabytes, mostly the
// texts of items, and it is read at every start.
func decodeIndex(text []byte) (index, error) {
	idx := index{}
	r := stepper{text: text}
	err := r.members(func(kind string) error {
		idx[Kind(kind)] = map[string]*indexEntry{}
		return r.members(func(name string) (err error) {
			idx[Kind(kind)][name], err = r.entry()
			return err
		})
	})
	if err == nil && r.next() != 0 {
		err = r.unexpected()
	}
	return idx, err
}

func (r *stepper) entry() (*indexEntry, error) {
	entry := &indexEntry{}
	err := r.members(func(key string) (err error) {
		switch key {
		case "path":
			entry.Path, err = r.string()
		case "stage":
			entry.Stage, err = r.string()
		case "version":
			entry.Version, err = r.string()
		case "versions":
			entry.Versions, err = r.versions()
		default:
			err = r.skip()
		}
		return err
	})
	return entry, err
}

func (r *stepper) versions() (map[string]indexVersion, error) {
	all := map[string]indexVersion{}
	err := r.members(func(number string) (err error) {
		all[number], err = r.version()
		return err
	})
	return all, err
}

func (r *stepper) version() (version indexVersion, err error) {
	err = r.members(func(key string) (err error) {
		if key == "digest" {
			version.Digest, err = r.string()
			return err
		}
		return r.skip()
	})
	return version, err
}

// decodeOffers is decodeIndex for those who install: it keeps more of each item, as pieces of the text.
func decodeOffers(text []byte) (map[Kind]map[string]*Offer, error) {
	offers := map[Kind]map[string]*Offer{}
	r := stepper{text: text}
	err := r.members(func(kind string) error {
		byName := map[string]*Offer{}
		offers[Kind(kind)] = byName
		return r.members(func(name string) (err error) {
			if r.next() == 'n' {
				byName[name] = nil
				return r.skip()
			}
			byName[name], err = r.offer(Ref{Kind(kind), name})
			return err
		})
	})
	if err == nil && r.next() != 0 {
		err = r.unexpected()
	}
	return offers, err
}

func (r *stepper) offer(ref Ref) (*Offer, error) {
	offer := &Offer{Ref: ref}
	needs := map[Kind][]string{}
	from := r.at
	err := r.members(func(key string) (err error) {
		switch key {
		case "path":
			offer.Path, err = r.string()
		case "stage":
			offer.Stage, err = r.string()
		case "version":
			offer.Version, err = r.string()
		case "versions":
			offer.versions, err = r.versions()
		case "description":
			offer.Description, err = r.string()
		case "content":
			offer.content, err = r.string()
		default:
			if !slices.Contains(Kinds(), Kind(key)) {
				return r.skip()
			}
			needs[Kind(key)], err = r.strings()
		}
		return err
	})
	for _, kind := range Kinds() {
		for _, name := range needs[kind] {
			offer.Needs = append(offer.Needs, Ref{kind, name})
		}
	}
	offer.raw = r.text[from:r.at:r.at]
	return offer, err
}

// strings returns the array of texts that comes next, none for null.
func (r *stepper) strings() (texts []string, err error) {
	if r.next() == 'n' {
		return nil, r.skip()
	}
	if r.next() != '[' {
		return nil, r.unexpected()
	}
	r.at++
	for first := true; r.next() != ']'; first = false {
		if !first {
			if r.next() != ',' {
				return nil, r.unexpected()
			}
			r.at++
		}
		text, err := r.string()
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	r.at++
	return texts, nil
}

// stepper goes through a JSON text. What it steps over is not checked.
type stepper struct {
	text []byte
	at   int
}

var errEnds = errors.New("unexpected end of JSON input")

// next returns the first byte of the next token, 0 at the end of the text.
func (r *stepper) next() byte {
	for ; r.at < len(r.text); r.at++ {
		switch b := r.text[r.at]; b {
		case ' ', '\t', '\r', '\n':
		default:
			return b
		}
	}
	return 0
}

func (r *stepper) unexpected() error {
	if r.at >= len(r.text) {
		return errEnds
	}
	return fmt.Errorf("unexpected %q at byte %d", r.text[r.at], r.at)
}

// members calls value where a value of the object that comes next begins; value has to step over it. null has none.
func (r *stepper) members(value func(key string) error) error {
	if r.next() == 'n' {
		return r.skip()
	}
	if r.next() != '{' {
		return r.unexpected()
	}
	r.at++
	for first := true; r.next() != '}'; first = false {
		if !first {
			if r.next() != ',' {
				return r.unexpected()
			}
			r.at++
		}
		key, err := r.string()
		if err != nil {
			return err
		}
		if r.next() != ':' {
			return r.unexpected()
		}
		r.at++
		if err := value(key); err != nil {
			return err
		}
	}
	r.at++
	return nil
}

// string returns the text that comes next, "" for null.
func (r *stepper) string() (string, error) {
	switch r.next() {
	case '"':
	case 'n':
		return "", r.skip()
	default:
		return "", r.unexpected()
	}
	from := r.at
	if err := r.skipString(); err != nil {
		return "", err
	}
	quoted := r.text[from:r.at]
	if bytes.IndexByte(quoted, '\\') < 0 {
		return strings.ToValidUTF8(string(quoted[1:len(quoted)-1]), "\ufffd"), nil
	}
	var text string
	err := json.Unmarshal(quoted, &text)
	return text, err
}

func (r *stepper) skipString() error {
	for r.at++; ; r.at++ {
		quote := bytes.IndexByte(r.text[min(r.at, len(r.text)):], '"')
		if quote < 0 {
			r.at = len(r.text)
			return errEnds
		}
		escapes := 0
		for ; escapes < quote && r.text[r.at+quote-escapes-1] == '\\'; escapes++ {
		}
		r.at += quote
		if escapes%2 == 0 {
			r.at++
			return nil
		}
	}
}

// skip steps over the value that comes next.
func (r *stepper) skip() error {
	for depth := 0; ; {
		b := r.next()
		switch {
		case b == 0, depth == 0 && strings.IndexByte("}],:", b) >= 0:
			return r.unexpected()
		case b == '"':
			if err := r.skipString(); err != nil {
				return err
			}
		case b == '{', b == '[':
			depth++
			r.at++
		case b == '}', b == ']':
			depth--
			r.at++
		case b == ',', b == ':':
			r.at++
		default:
			r.skipWord()
		}
		if depth == 0 {
			return nil
		}
	}
}

// skipWord steps over a number, true, false or null.
func (r *stepper) skipWord() {
	if end := bytes.IndexAny(r.text[r.at:], ",]} \t\r\n"); end >= 0 {
		r.at += end
		return
	}
	r.at = len(r.text)
}
