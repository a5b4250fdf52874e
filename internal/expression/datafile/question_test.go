package datafile_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/expression/datafile"
)

// answer is the definition of an answer, without short cuts.
func answer(lines []string, q datafile.Question, text string) (bool, error) {
	switch q.Text {
	case datafile.AsWritten:
	case datafile.Lower:
		text = strings.ToLower(text)
	case datafile.Upper:
		text = strings.ToUpper(text)
	}
	for _, line := range lines {
		if q.Line != nil {
			line = q.Line(line)
		}
		if related, err := relates(q.Relation, text, line); err != nil || related {
			return related, err
		}
	}
	return false, nil
}

func relates(relation datafile.Relation, text, line string) (bool, error) {
	switch relation {
	case datafile.Contains:
		return strings.Contains(text, line), nil
	case datafile.StartsWith:
		return strings.HasPrefix(text, line), nil
	case datafile.EndsWith:
		return strings.HasSuffix(text, line), nil
	case datafile.Equals:
		return text == line, nil
	case datafile.Matches:
		return regexp.MatchString(line, text)
	case datafile.Within: // what it means is decided elsewhere
	}
	return false, errors.New("no relation")
}

func loaded(t *testing.T, dir string, lines ...string) *datafile.Set {
	t.Helper()
	set := newSet()
	write(t, dir, "f", strings.Join(lines, "\n"))
	if err := set.Load(datafile.Entry{DestFile: "f", Type: "string"}, dir); err != nil {
		t.Fatal(err)
	}
	return set
}

// differs tells how the answer to q about text is not what it should be, "" when it is.
func differs(set *datafile.Set, q datafile.Question, text string) string {
	lines, _ := set.Strings(q.File)
	want, wantErr := answer(lines, q, text)
	got, err := set.Matcher(q).Match(text)
	if got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
		return fmt.Sprintf("relation %d of %q in case %d with %q: %v, %v, want %v, %v", q.Relation, text, q.Text, lines, got, err, want, wantErr)
	}
	return ""
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	set := loaded(t, t.TempDir(), "/admin", ".php", "Shell", "%3Cimg", "\u212a", "é")
	for relation := datafile.Contains; relation <= datafile.Matches; relation++ {
		for letters := datafile.AsWritten; letters <= datafile.Upper; letters++ {
			for _, line := range []func(string) string{nil, strings.ToLower, strings.ToUpper, strings.TrimSpace} {
				for _, text := range []string{
					"", "/admin", "/ADMIN", "/admin/index.php", "x.PHP", "Shell", "shell.php", "?q=%3cimg", "?q=%3CIMG", "K", "k", "\u212a", "É", "/login", "\xff.php",
				} {
					q := datafile.Question{File: "f", Relation: relation, Text: letters, Line: line}
					if difference := differs(set, q, text); difference != "" {
						t.Error(difference)
					}
				}
			}
		}
	}
}

func TestQuestionAboutNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	set := newSet()
	matcher := set.Matcher(datafile.Question{File: "f", Relation: datafile.EndsWith})
	if found, err := matcher.Match("a.php"); found || !errors.Is(err, datafile.ErrNotLoaded) {
		t.Errorf("without a file: %v, %v", found, err)
	}
	write(t, dir, "f", ".php")
	if err := set.Load(datafile.Entry{DestFile: "f", Type: "regexp"}, dir); err != nil {
		t.Fatal(err)
	}
	if found, err := matcher.Match("a.php"); found || !errors.Is(err, datafile.ErrNotLoaded) {
		t.Errorf("with a file of another type: %v, %v", found, err)
	}
	if err := set.Load(datafile.Entry{DestFile: "f", Type: "string"}, dir); err != nil {
		t.Fatal(err)
	}
	if found, err := matcher.Match("a.php"); !found || err != nil {
		t.Errorf("with the file: %v, %v", found, err)
	}
}

func TestQuestionAboutEmptyFile(t *testing.T) {
	t.Parallel()
	set := loaded(t, t.TempDir(), "# nothing")
	for relation := datafile.Contains; relation <= datafile.Matches; relation++ {
		if found, err := set.Matcher(datafile.Question{File: "f", Relation: relation}).Match(""); found || err != nil {
			t.Errorf("relation %d: %v, %v", relation, found, err)
		}
	}
}

// A line that is no regular expression is met only where no line before it matches.
func TestQuestionMeetsBadRegexp(t *testing.T) {
	t.Parallel()
	set := loaded(t, t.TempDir(), "^a", "(", "^b")
	matcher := set.Matcher(datafile.Question{File: "f", Relation: datafile.Matches})
	if found, err := matcher.Match("a"); !found || err != nil {
		t.Errorf("before the bad line: %v, %v", found, err)
	}
	if found, err := matcher.Match("b"); found || err == nil || err.Error() != "error parsing regexp: missing closing ): `(`" {
		t.Errorf("behind the bad line: %v, %v", found, err)
	}
}

func TestAnswersAllocateNothing(t *testing.T) {
	set := loaded(t, t.TempDir(), "/admin", ".php", "Shell", "%3Cimg")
	for relation := datafile.Contains; relation <= datafile.Matches; relation++ {
		matcher := set.Matcher(datafile.Question{File: "f", Relation: relation})
		if allocations := testing.AllocsPerRun(100, func() { _, _ = matcher.Match("/blog/post-217?page=2") }); allocations != 0 {
			t.Errorf("relation %d: %v allocations", relation, allocations)
		}
	}
	upper := set.Matcher(datafile.Question{File: "f", Text: datafile.Upper, Line: strings.ToUpper})
	if allocations := testing.AllocsPerRun(100, func() { _, _ = upper.Match("/blog/post-217?page=2") }); allocations != 0 {
		t.Errorf("in upper case: %v allocations", allocations)
	}
}

func TestAnswersAreThoseOfTheOperators(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	piece := rapid.SampledFrom([]string{
		"a", "A", "b", "B", "/", ".php", "admin", "k", "K", "\u212a", "s", "S", "ſ", "ı", "İ", "é", "É", "ß", "\xff", "\ufffd", "1", " ", "?", "+", "[ab]", "(", "|",
	})
	text := rapid.Map(rapid.SliceOfN(piece, 0, 5), func(parts []string) string { return strings.Join(parts, "") })
	changes := []func(string) string{nil, strings.ToLower, strings.ToUpper, func(line string) string { return line[1:] }}
	rapid.Check(t, func(r *rapid.T) {
		set := loaded(t, dir, rapid.SliceOfN(text, 0, 6).Draw(r, "lines")...)
		q := datafile.Question{
			File:     "f",
			Relation: datafile.Relation(rapid.IntRange(int(datafile.Contains), int(datafile.Matches)).Draw(r, "relation")),
			Text:     datafile.Case(rapid.IntRange(int(datafile.AsWritten), int(datafile.Upper)).Draw(r, "case")),
			Line:     changes[rapid.IntRange(0, len(changes)-1).Draw(r, "line")],
		}
		if difference := differs(set, q, text.Draw(r, "text")); difference != "" {
			r.Fatal(difference)
		}
	})
}

func FuzzQuestion(f *testing.F) {
	f.Add("/admin\n.php\n(?i)Shell", "/SHELL.php", uint8(0), uint8(2), true)
	f.Add("%3Cimg\n\u212a", "?q=%3cIMG k", uint8(1), uint8(1), false)
	f.Add("(\na", "a", uint8(4), uint8(0), false)
	f.Fuzz(func(t *testing.T, content, text string, relation, letters uint8, upper bool) {
		set, dir := newSet(), t.TempDir()
		write(t, dir, "f", content)
		if err := set.Load(datafile.Entry{DestFile: "f", Type: "string"}, dir); err != nil {
			return
		}
		q := datafile.Question{File: "f", Relation: datafile.Relation(relation % 5), Text: datafile.Case(letters % 3)}
		if upper {
			q.Line = strings.ToUpper
		}
		if difference := differs(set, q, text); difference != "" {
			t.Fatal(difference)
		}
	})
}
