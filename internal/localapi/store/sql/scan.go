package sql

import (
	dbsql "database/sql"
	"fmt"
	"strings"
	"time"
)

// nullable scans into dst a column that may be NULL, which is the zero value.
func nullable[T any](dst *T) dbsql.Scanner { return &orZero[T]{dst: dst} }

type orZero[T any] struct{ dst *T }

func (o *orZero[T]) Scan(src any) error {
	var value dbsql.Null[T]
	if err := value.Scan(src); err != nil {
		return err
	}
	*o.dst = value.V
	return nil
}

// instant scans a time, in UTC, from whatever the engine returns for it; NULL is the zero time.
type instant struct{ dst *time.Time }

// Scan implements the Scanner of database/sql.
func (i instant) Scan(src any) error {
	switch value := src.(type) {
	case nil:
		*i.dst = time.Time{}
		return nil
	case time.Time:
		*i.dst = value.UTC()
		return nil
	case string:
		parsed, err := parseTime(value)
		*i.dst = parsed
		return err
	}
	return fmt.Errorf("a time is stored as %T", src)
}

// parseTime reads every form in which the drivers that the replaced system was built with write a time. Text
// without a zone is UTC.
func parseTime(text string) (time.Time, error) {
	if t, ok := parsePlainTime(text); ok {
		return t, nil
	}
	text, _, _ = strings.Cut(text, " m=") // a monotonic clock reading, of no meaning in a file
	for _, layout := range []string{
		sqliteTime,
		"2006-01-02 15:04:05.999999999 -0700 MST",
		time.RFC3339Nano,
		"2006-01-02T15:04:05.999999999",
		time.DateTime,
		time.DateOnly,
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("'%s' is not a time", text)
}

// parsePlainTime reads a time in UTC in the form of sqliteTime, as all are that we write: the standard library is fast with
// those of RFC 3339, which differ by two characters.
func parsePlainTime(text string) (t time.Time, ok bool) {
	const day = len(time.DateOnly)
	plain, utc := strings.CutSuffix(text, "+00:00")
	if !utc || len(plain) <= day || plain[day] != ' ' {
		return time.Time{}, false
	}
	standard := make([]byte, 0, len(time.RFC3339Nano))
	standard = append(append(standard, plain[:day]...), 'T')
	standard = append(append(standard, plain[day+1:]...), 'Z')
	err := t.UnmarshalText(standard)
	return t, err == nil
}
