package savepoint

import (
	"strconv"
	"time"
)

// object is a JSON object that is being written by hand, because that happens between lines. Fields with
// their zero value are left out; a map that is empty but not nil is written.
type object struct {
	bytes []byte
	begun bool
}

func (o *object) open() { o.bytes, o.begun = append(o.bytes, '{'), false }

func (o *object) close() { o.bytes, o.begun = append(o.bytes, '}'), true }

func (o *object) key(key string) {
	if o.begun {
		o.bytes = append(o.bytes, ',')
	}
	o.begun = true
	o.bytes = append(append(append(o.bytes, '"'), key...), '"', ':')
}

func (o *object) text(key, value string) {
	if value != "" {
		o.key(key)
		o.bytes = appendText(o.bytes, value)
	}
}

func (o *object) int(key string, value int) {
	if value != 0 {
		o.key(key)
		o.bytes = strconv.AppendInt(o.bytes, int64(value), 10)
	}
}

func (o *object) bool(key string, value bool) {
	if value {
		o.key(key)
		o.bytes = append(o.bytes, "true"...)
	}
}

func (o *object) time(key string, value time.Time) {
	if !value.IsZero() {
		o.key(key)
		o.bytes = appendTime(o.bytes, value)
	}
}

func (o *object) texts(key string, values map[string]string) {
	if values != nil {
		o.key(key)
		o.bytes = appendMap(o.bytes, values, appendText)
	}
}

func (o *object) values(key string, values map[string]any) {
	if values != nil {
		o.key(key)
		o.bytes = appendMap(o.bytes, values, appendValue)
	}
}

func list[E any](o *object, key string, elements []E, appendOne func([]byte, E) []byte) {
	if len(elements) > 0 {
		o.key(key)
		o.bytes = appendList(o.bytes, elements, appendOne)
	}
}
