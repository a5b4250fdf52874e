package metrics

import (
	"maps"
	"slices"
	"strings"

	"shieldwall/internal/cscli/table"
	"shieldwall/internal/cscli/usage"
)

// section shows samples: its keys tell rows apart, and its other columns count.
type section struct {
	keys   []column // from labels; two that are joined by a colon are one key
	counts []column // from families
	brief  bool     // long numbers are shortened
}

// column is one of a section's. In JSON the values of a key nest, those of a key or count with a name there are fields,
// and a count without one is the number itself.
type column struct {
	title, from, json string
}

// row is what was counted under some keys.
type row struct {
	keys   []string
	counts []int64
}

// rows sums samples up, in the order of the keys.
func (s *section) rows(all samples) []row {
	byKeys := map[string]*row{}
	for i, count := range s.counts {
		for _, one := range all[count.from] {
			keys := s.keysOf(one.labels)
			id := strings.Join(keys, "\x00")
			if byKeys[id] == nil {
				byKeys[id] = &row{keys, make([]int64, len(s.counts))}
			}
			byKeys[id].counts[i] += usage.Whole(one.value)
		}
	}
	delete(byKeys, ":") // what is counted of overflows has no source
	sorted := make([]row, 0, len(byKeys))
	for _, id := range slices.Sorted(maps.Keys(byKeys)) {
		sorted = append(sorted, *byKeys[id])
	}
	return sorted
}

func (s *section) keysOf(labels map[string]string) []string {
	keys := make([]string, len(s.keys))
	for i, key := range s.keys {
		first, second, joined := strings.Cut(key.from, ":")
		keys[i] = labels[first]
		if joined {
			keys[i] += ":" + labels[second]
		}
	}
	return keys
}

// document implements content.
func (s *section) document(from sources) any {
	root := map[string]any{}
	for _, r := range s.rows(from.samples()) {
		s.place(root, r)
	}
	return root
}

func (s *section) place(at map[string]any, r row) {
	var nested []string
	fields := map[string]any{}
	for i, key := range s.keys {
		if key.json == "" {
			nested = append(nested, r.keys[i])
		} else {
			fields[key.json] = r.keys[i]
		}
	}
	for i, count := range s.counts {
		fields[count.json] = r.counts[i]
	}
	var leaf any = fields
	if number, bare := fields[""]; bare {
		leaf = number
	}
	last := len(nested) - 1
	for _, key := range nested[:last] {
		inner, ok := at[key].(map[string]any)
		if !ok {
			inner = map[string]any{}
			at[key] = inner
		}
		at = inner
	}
	at[nested[last]] = leaf
}

// tables implements content.
func (s *section) tables(from sources, title string, d drawing) []*table.Table {
	rows := s.rows(from.samples())
	if len(rows) == 0 && !d.asked {
		return nil
	}
	t := table.Full(d.fancy)
	t.Title(title)
	var header []string
	for _, c := range slices.Concat(s.keys, s.counts) {
		header = append(header, c.title)
	}
	t.LeftHeader(header...)
	for _, r := range rows {
		cells := slices.Clone(r.keys)
		for _, count := range r.counts {
			cells = append(cells, numeral(count, s.brief && !d.exact))
		}
		t.Row(cells...)
	}
	return []*table.Table{t}
}
