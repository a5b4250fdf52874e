package grok

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"shieldwall/content"
)

// embedded are the definitions that come with the program.
func embedded(tb testing.TB) *Library {
	tb.Helper()
	l := New()
	for _, file := range content.Patterns() {
		if err := l.AddFile(file.Name, strings.NewReader(file.Text)); err != nil {
			tb.Fatal(err)
		}
	}
	return l
}

const (
	nginxLine = `203.0.113.57 - alice [02/Mar/2026:06:00:01 +0000] "GET /product/99?ref=mail HTTP/1.1" 200 48213 ` +
		`"https://shop.example.com/" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"`
	sshdMessage = `Failed password for invalid user admin from 91.203.7.45 port 51234 ssh2`
	sshdLine    = `Mar  2 06:00:01 web3 sshd[14567]: ` + sshdMessage
)

// lines are of the kinds that the definitions are about, and some that nothing is about.
func lines() []string {
	return []string{
		nginxLine, sshdMessage, sshdLine, "", " ", "é\xff\n",
		`2001:db8::1 - - [02/Mar/2026:06:00:01 +0100] "\x16\x03" 400 150 "-" "-"`,
		`2026-03-02T06:00:01.123456+01:00 mail postfix/smtpd[771]: connect from unknown[198.51.100.7]`,
		`2026/03/02 06:00:01 [error] 19#19: *5 open() "/srv/x" failed, client: 192.0.2.1, server: _, request: "GET /x HTTP/1.1", host: "a.example"`,
		`[Mon Mar 02 06:00:01.123456 2026] [core:error] [pid 77:tid 140] [client 192.0.2.9:51000] AH00126: Invalid URI in request GET /`,
		`Connection closed by authenticating user root 2001:db8:0:1::20 port 22 [preauth]`,
		`pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.99  user=root`,
		`<13>1 2026-03-02T06:00:01Z host app 12 ID47 [x@1 a="b"] text`,
		`Mar 02 2026 06:00:01: %ASA-4-106023: Deny tcp src outside:192.0.2.1/80 dst inside:198.51.100.2/443 by access-group "out" [0x0, 0x0]`,
		`192.0.2.1:51000 [02/Mar/2026:06:00:01.123] front back/srv 0/0/1/2/3 200 1024 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`,
		`IP 192.0.2.1.51000 > 198.51.100.2.22: Flags [S], seq 1, win 64240, length 0`,
		`New connection: 192.0.2.1:51000 (198.51.100.2:2222) [session: 0a1b2c]`,
		`E, [2026-03-02T06:00:01.123456 #77] ERROR -- app: boom`, `77:M 02 Mar 2026 06:00:01.123 * Ready`,
		`00:1A:2b:3c:4d:5e 001a.2b3c.4d5e 00-1A-2B-3C-4D-5E 123e4567-e89b-12d3-a456-426614174000 user@mail.example C:\Windows\x /usr/bin/env`,
		`Mon, 02 Jan 2006 15:04:05 -0700 3:04PM 02 Jan 06 15:04 MST 12.5e3 -0x1F "quoted \" text" 'x'`,
		"2026-03-02 06:00:01,123 \U0001F600 warn 1::2%eth0 \uFFFD é\xe2\x82 trailing",
	}
}

// TestEmbeddedPatternsAgreeWithRegexp compares every definition on some of the lines, with all fields it has: Go's
// regexp takes its time.
func TestEmbeddedPatternsAgreeWithRegexp(t *testing.T) {
	t.Parallel()
	l := embedded(t)
	for number, name := range slices.Sorted(maps.Keys(l.definitions)) {
		p, err := l.Compile("%{" + name + ":all_of_it}")
		if err != nil {
			t.Fatal(err)
		}
		o := newOracle(t, p.tree().String())
		for i, line := range lines() {
			if i%11 != number%11 {
				continue
			}
			values := make([]string, len(p.fields))
			if !p.Match(line, values) {
				values = nil
			}
			if want := texts(line, o.find(line)); !slices.Equal(values, want) {
				t.Errorf("%s on %q: got %q, want %q", name, line, values, want)
			}
		}
	}
}

// TestPlainPatternsMatchTheSame compares every definition with and without shortcuts.
func TestPlainPatternsMatchTheSame(t *testing.T) {
	t.Parallel()
	quick := embedded(t)
	plain := quick.Clone()
	plain.Plain()
	for name := range quick.definitions {
		p, err := quick.Compile("%{" + name + ":all_of_it}")
		if err != nil {
			t.Fatal(err)
		}
		q, err := plain.Compile("%{" + name + ":all_of_it}")
		if err != nil {
			t.Fatal(err)
		}
		got, want := make([]string, len(p.fields)), make([]string, len(p.fields))
		for _, line := range lines() {
			if p.Match(line, got) != q.Match(line, want) || !slices.Equal(got, want) {
				t.Errorf("%s on %q: got %q, want %q", name, line, got, want)
			}
		}
		if q.matcher.program() != nil {
			t.Errorf("%s is not plain", name)
		}
	}
}

// texts are the groups that were found, nil when there was no match.
func texts(subject string, found []int) []string {
	var out []string
	for group := range slices.Chunk(found, 2) {
		text := ""
		if group[0] >= 0 {
			text = subject[group[0]:group[1]]
		}
		out = append(out, text)
	}
	return out[min(1, len(out)):]
}

// TestEmbeddedPatternsNeedNoSimulation: what comes with the program runs at full speed.
func TestEmbeddedPatternsNeedNoSimulation(t *testing.T) {
	t.Parallel()
	l := embedded(t)
	for name := range l.definitions {
		p, err := l.Compile("%{" + name + ":all_of_it}")
		if err != nil {
			t.Fatal(err)
		}
		p.build()
		if p.matcher.program() == nil {
			t.Errorf("%s can only be simulated", name)
		}
	}
}

func TestMatchingAllocatesNothing(t *testing.T) {
	p, err := embedded(t).Compile(`%{NGINXACCESS}`)
	if err != nil {
		t.Fatal(err)
	}
	p.build()
	m := new(machine)
	allocations := testing.AllocsPerRun(100, func() {
		if from, ok := p.matcher.prospect(nginxLine); !ok || !p.matcher.find(m, nginxLine, from) {
			t.Error("no match")
		}
		m.forget()
	})
	if allocations != 0 {
		t.Errorf("%v allocations for a match", allocations)
	}
}

func benchmarks() []struct{ name, pattern, line string } {
	return []struct{ name, pattern, line string }{
		{"nginx", `%{NGINXACCESS}`, nginxLine},
		{"sshd", `%{SSHD_USER_FAIL}`, sshdMessage},
		{"syslog", `^%{SYSLOGLINE}`, sshdLine},
		{"miss", `%{SSHD_DISC_PREAUTH}`, sshdMessage},
	}
}

func BenchmarkMatch(b *testing.B) {
	l := embedded(b)
	for _, bench := range benchmarks() {
		p, err := l.Compile(bench.pattern)
		if err != nil {
			b.Fatal(err)
		}
		re := regexp.MustCompile(p.tree().String())
		values := make([]string, len(p.fields))
		b.Run("line="+bench.name+"/engine=grok", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(bench.line, values)
			}
		})
		b.Run("line="+bench.name+"/engine=regexp", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				re.FindStringSubmatchIndex(bench.line)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		l := embedded(b)
		for name := range l.definitions {
			if _, err := l.Compile("%{" + name + ":all_of_it}"); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkBuild is what the first subject of a pattern costs.
func BenchmarkBuild(b *testing.B) {
	l := embedded(b)
	b.ReportAllocs()
	for b.Loop() {
		p, err := l.Compile("%{NGINXACCESS}")
		if err != nil {
			b.Fatal(err)
		}
		p.build()
		p.matcher.program()
	}
}
