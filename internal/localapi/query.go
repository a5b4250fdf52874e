package localapi

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/duration"
)

// query is the parameters of a request. A parameter without value counts as absent.
type query url.Values

// queryOf reads the parameters strictly: one that is garbled must not be lost, for less conditions mean more
// decisions.
func queryOf(r *http.Request) (query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "reading the parameters: %w", err)
	}
	return query(values), nil
}

// destructiveQueryOf is queryOf for deletions, where a parameter without value is an error: ignoring it
// would delete everything.
func destructiveQueryOf(r *http.Request) (query, error) {
	q, err := queryOf(r)
	if err != nil {
		return nil, err
	}
	for _, name := range q.names() {
		if slices.Contains(q[name], "") {
			return nil, fault.Errorf(fault.Invalid, "filter parameter '%s' is empty: invalid filter", name)
		}
	}
	return q, nil
}

// String returns the parameters as they are written, in the order of their names; "all" for none.
func (q query) String() string {
	return cmp.Or(url.Values(q).Encode(), "all")
}

func (q query) names() []string { return slices.Sorted(maps.Keys(q)) }

func (q query) text(name string) string { return url.Values(q).Get(name) }

// list returns the elements of a comma-separated value, nil without any.
func (q query) list(name string) []string {
	var list []string
	for element := range strings.SplitSeq(q.text(name), ",") {
		if element = strings.TrimSpace(element); element != "" {
			list = append(list, element)
		}
	}
	return list
}

func (q query) lowerList(name string) []string {
	list := q.list(name)
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return list
}

func (q query) scopes(name string) []domain.Scope {
	var scopes []domain.Scope
	for _, scope := range q.list(name) {
		scopes = append(scopes, domain.NormalizeScope(scope))
	}
	return scopes
}

// boolean returns fallback when the parameter is absent.
func (q query) boolean(name string, fallback bool) (bool, error) {
	text := q.text(name)
	if text == "" {
		return fallback, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, fault.Errorf(fault.Invalid, "parameter '%s' is not a bool (=%s): invalid filter", name, text)
	}
	return value, nil
}

// number returns fallback when the parameter is absent; it is never negative.
func (q query) number(name string, fallback int64) (int64, error) {
	text := q.text(name)
	if text == "" {
		return fallback, nil
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < 0 {
		return 0, fault.Errorf(fault.Invalid, "parameter '%s' is not a number of zero or more (=%s): invalid filter", name, text)
	}
	return value, nil
}

// ago returns the instant that lies the parameter's duration before now; zero when it is absent.
func (q query) ago(name string, now time.Time) (time.Time, error) {
	text := q.text(name)
	if text == "" {
		return time.Time{}, nil
	}
	length, err := duration.Parse(text)
	if err != nil {
		return time.Time{}, fault.Errorf(fault.Invalid, "parameter '%s': %w: invalid filter", name, err)
	}
	return now.Add(-length), nil
}

// addresses returns the range of ip or its synonym range, and whether what matches lies inside it instead of
// around it. The range is invalid when neither is given.
func (q query) addresses() (addresses domain.IPRange, inside bool, err error) {
	around, err := q.boolean("contains", true)
	if err != nil {
		return domain.IPRange{}, false, err
	}
	text := q.text("ip")
	if other := q.text("range"); text == "" {
		text = other
	} else if other != "" && other != text {
		return domain.IPRange{}, false, fault.Errorf(fault.Invalid, "ip and range exclude each other: invalid filter")
	}
	if text == "" {
		return domain.IPRange{}, !around, nil
	}
	addresses, err = domain.ParseIPRange(text)
	return addresses, !around, fault.Mark(fault.Invalid, err)
}
