package datafile_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/expression/datafile"
)

// dataDirs are our own data files and, when the variable names a copy of the public hub, those beside it.
func dataDirs() []string {
	dirs := []string{filepath.Join("..", "..", "..", "content", "data")}
	if hub := os.Getenv("SHIELDWALL_HUB_SAMPLE"); hub != "" {
		dirs = append(dirs, filepath.Join(hub, "..", "data"))
	}
	return dirs
}

// subjects are texts to ask about a file: what logs hold, some of its own lines and what looks like them.
func subjects(lines []string) []string {
	texts := append(browsers(), "Nikto/2.1.6", "sqlmap/1.7", "masscan/1.0", "python-requests/2.31.0", "Mozilla/5.0 zgrab/0.x", "",
		"/", "/index.html", "/blog/post-12", "/static/app.js", "/api/v1/items?page=2", "/product/99?ref=mail", "/wp-login.php", "/.env",
		"/.git/config", "/phpMyAdmin/", "/ADMIN/", "shell.php", "/../../etc/passwd", "/backup.sql", "/c99.php", "/id?x=1%27%20OR%201=1--",
		"/index.php?id=1+UNION+SELECT+1,2,3", "/?q=<script>alert(1)</script>", "/${jndi:ldap://x.y/a}", "/?q=%3CsCrIpT%3E", "/\u212a/\xff/ſ",
		"crawl-66-249-66-1.googlebot.com.", "185.191.171.12")
	for i := 0; i < len(lines); i += 1 + len(lines)/12 {
		line := lines[i]
		plain := strings.NewReplacer(`\b`, "", `\`, "").Replace(line)
		texts = append(texts, line, plain, "/x/"+plain+"?y", "x"+plain+"y", strings.ToUpper(plain), strings.ToLower(plain), plain[:len(plain)/2])
	}
	return texts
}

// Every file, read as each type that it can be read as, gives the answers that its lines give one by one.
func TestFilesAnswerAsTheirLinesDo(t *testing.T) {
	t.Parallel()
	for _, dir := range dataDirs() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range entries {
			if file.Type().IsRegular() && filepath.Ext(file.Name()) != ".mmdb" {
				t.Run(file.Name(), func(t *testing.T) {
					t.Parallel()
					checkFile(t, dir, file.Name())
				})
			}
		}
	}
}

func checkFile(t *testing.T, dir, name string) {
	t.Helper()
	set := newSet()
	if err := set.Load(datafile.Entry{DestFile: name, Type: "string"}, dir); err != nil {
		t.Fatal(err)
	}
	lines, _ := set.Strings(name)
	texts := subjects(lines)
	checkQuestions(t, set, name, texts)
	if set.Load(datafile.Entry{DestFile: name, Type: "regexp"}, dir) == nil {
		list, _ := set.Regexps(name)
		checkRegexps(t, list, lines, texts)
	}
	if set.Load(datafile.Entry{DestFile: name, Type: "map"}, dir) == nil {
		rows, _ := set.Rows(name)
		for _, text := range texts {
			if got, want := rows.LookUp(text), lookUp(rows.All(), text); got != want {
				t.Errorf("LookUp(%q) is %q, want %q", text, got, want)
			}
		}
	}
}

func checkQuestions(t *testing.T, set *datafile.Set, name string, texts []string) {
	t.Helper()
	lines, _ := set.Strings(name)
	for relation := datafile.Contains; relation <= datafile.Equals; relation++ {
		for letters, change := range map[datafile.Case]func(string) string{
			datafile.AsWritten: nil, datafile.Lower: strings.ToLower, datafile.Upper: strings.ToUpper,
		} {
			q := datafile.Question{File: name, Relation: relation, Text: letters, Line: change}
			matcher := set.Matcher(q)
			for _, text := range texts {
				want, _ := answer(lines, q, text)
				if got, err := matcher.Match(text); got != want || err != nil {
					t.Errorf("relation %d, case %d of %q: %v, %v, want %v", relation, letters, text, got, err, want)
				}
			}
		}
	}
}

func checkRegexps(t *testing.T, list *datafile.Regexps, lines, texts []string) {
	t.Helper()
	compiled := make([]*regexp.Regexp, len(lines))
	for i, line := range lines {
		compiled[i] = regexp.MustCompile(line)
	}
	for _, text := range texts {
		want := slices.ContainsFunc(compiled, func(re *regexp.Regexp) bool { return re.MatchString(text) })
		if got := list.Match(text); got != want {
			t.Errorf("Match(%q) is %v, want %v", text, got, want)
		}
	}
}
