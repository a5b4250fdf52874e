package expression

import (
	"time"

	"shieldwall/internal/expression/cache"
)

// missing remembers which data files were found missing, to say so once each. It forgets the oldest: an
// expression may make names up.
type missing struct {
	told *cache.Cache[[2]string, struct{}]
}

func newMissing(now func() time.Time) *missing {
	const names = 1024
	return &missing{cache.New[[2]string, struct{}](cache.Options{Size: names, Now: now})}
}

func (m *missing) first(name, kind string) bool {
	key := [2]string{name, kind}
	_, told := m.told.Get(key)
	if !told {
		m.told.Put(key, struct{}{})
	}
	return !told
}

func (l *Library) fileHelpers() []helper {
	return []helper{
		of1("File", l.fileLines),
		of1("FileMap", l.fileRows),
		of2("LookupFile", l.lookUpFile),
		of2("RegexpInFile", l.regexpInFile),
	}
}

func (l *Library) fileLines(name string) []string {
	lines, ok := l.data.Strings(name)
	if !ok {
		l.reportNoFile(name, "string")
		return []string{}
	}
	return lines
}

func (l *Library) fileRows(name string) []map[string]string {
	rows, ok := l.data.Rows(name)
	if !ok {
		l.reportNoFile(name, "map")
		return []map[string]string{}
	}
	return rows.All()
}

func (l *Library) lookUpFile(text, name string) string {
	rows, ok := l.data.Rows(name)
	if !ok {
		l.reportNoFile(name, "map")
		return ""
	}
	return rows.LookUp(text)
}

func (l *Library) regexpInFile(text, name string) bool {
	list, ok := l.data.Regexps(name)
	if !ok {
		l.reportNoFile(name, "regexp")
		return false
	}
	return list.Match(text)
}

// reportNoFile is called for every event that meets the expression.
func (l *Library) reportNoFile(name, kind string) {
	if l.missing.first(name, kind) {
		l.log.Error("data file is not loaded", "file", name, "type", kind)
	}
}
