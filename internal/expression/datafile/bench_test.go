package datafile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/expression/datafile"
)

// browsers are user agents of people, and of programs that are no attackers.
func browsers() []string {
	return []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 Edg/125.0.0.0",
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		"curl/8.5.0",
		"-",
	}
}

// sample loads files of the hub sample, which the variable names; without it, a list that looks like one.
func sample(b *testing.B, name, kind string) (set *datafile.Set, dir string) {
	b.Helper()
	dir = b.TempDir()
	entry := datafile.Entry{DestFile: name, Type: kind}
	if hub := os.Getenv("SHIELDWALL_HUB_SAMPLE"); hub != "" {
		dir = filepath.Join(hub, "..", "data")
	} else {
		content := ""
		for i := range 600 {
			content += fmt.Sprintf("\\b%cot%dScan\\b\n", 'A'+i%26, i)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	set = newSet()
	if err := set.Load(entry, dir); err != nil {
		b.Fatal(err)
	}
	return set, dir
}

func BenchmarkRegexps(b *testing.B) {
	set, _ := sample(b, "bad_user_agents.regex.txt", "regexp")
	list, _ := set.Regexps("bad_user_agents.regex.txt")
	for i, agent := range append(browsers(), "Nikto/2.1.6", "sqlmap/1.7", "masscan/1.0", "python-requests/2.31.0", "Mozilla/5.0 zgrab/0.x") {
		b.Run(fmt.Sprint(i), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				list.Match(agent)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, entry := range []datafile.Entry{
		{DestFile: "bad_user_agents.regex.txt", Type: "regexp"},
		{DestFile: "technology_probing.json", Type: "map"},
		{DestFile: "backdoors.txt", Type: "string"},
	} {
		b.Run(entry.DestFile, func(b *testing.B) {
			_, dir := sample(b, entry.DestFile, entry.Type)
			b.ReportAllocs()
			for b.Loop() {
				if err := datafile.New(nil, time.Now).Load(entry, dir); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLookUp(b *testing.B) {
	set, _ := sample(b, "technology_probing.json", "map")
	rows, _ := set.Rows("technology_probing.json")
	b.ReportAllocs()
	for b.Loop() {
		rows.LookUp("/blog/post-217?page=2")
	}
}

func BenchmarkQuestions(b *testing.B) {
	for _, question := range []datafile.Question{
		{File: "admin_interfaces.txt", Relation: datafile.Contains, Text: datafile.Lower},
		{File: "http_path_traversal.txt", Relation: datafile.Contains},
		{File: "log4j2_cve_2021_44228.txt", Relation: datafile.Contains, Text: datafile.Upper, Line: strings.ToUpper},
		{File: "sensitive_data.txt", Relation: datafile.EndsWith},
		{File: "backdoors.txt", Relation: datafile.Equals},
	} {
		set, _ := sample(b, question.File, "string")
		lines, _ := set.Strings(question.File)
		for name, text := range map[string]string{"path": "/blog/post-217?page=2", "agent": browsers()[0]} {
			b.Run("matcher/"+name+"/"+question.File, func(b *testing.B) {
				matcher := set.Matcher(question)
				for b.Loop() {
					_, _ = matcher.Match(text)
				}
			})
			b.Run("lines/"+name+"/"+question.File, func(b *testing.B) {
				for b.Loop() {
					_, _ = answer(lines, question, text)
				}
			})
		}
	}
}
