package expression

import "github.com/expr-lang/expr"

func (l *Library) fileHelpers() []expr.Option {
	return []expr.Option{
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

func (l *Library) reportNoFile(name, kind string) {
	l.log.Error("data file is not loaded", "file", name, "type", kind)
}
