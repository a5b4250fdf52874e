package datafile_test

import (
	"net/netip"
	"strings"
	"testing"

	"shieldwall/internal/expression/datafile"
)

func loadBots(t *testing.T, lines ...string) (*datafile.Bots, error) {
	t.Helper()
	dir, set := t.TempDir(), newSet()
	write(t, dir, "f", strings.Join(lines, "\n"))
	err := set.Load(datafile.Entry{DestFile: "f", Type: "bots"}, dir)
	bots, _ := set.Bots("f")
	return bots, err
}

func TestBots(t *testing.T) {
	t.Parallel()
	bots, err := loadBots(t, "# bots",
		`{"name":"addresses","ips":["192.0.2.1","::ffff:192.0.2.2"],"ranges":["198.51.100.77/24","2001:db8::/32"]}`,
		`{"name":"agent","user_agent":"GoodBot","ips":["192.0.2.10"]}`,
		`{"name":"path","paths":["/.well-known/ACME/","/robots.txt"],"ips":["192.0.2.20"]}`,
		`{"name":"named","user_agent":"crawler","rdns":[".Bot.example.","search.example"]}`,
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		addr, agent, path string
		names             string
		want              bool
	}{
		{addr: "192.0.2.1", want: true},
		{addr: "192.0.2.2", want: true},
		{addr: "::ffff:192.0.2.1", want: true},
		{addr: "192.0.2.3"},
		{addr: "198.51.100.1", want: true},
		{addr: "2001:db8:1::1", want: true},
		{addr: "192.0.2.10", agent: "Mozilla (goodbot/2)", want: true},
		{addr: "192.0.2.10", agent: "Mozilla"},
		{addr: "192.0.2.11", agent: "goodbot"},
		{addr: "192.0.2.20", path: "/.Well-Known/acme/token", want: true},
		{addr: "192.0.2.20", path: "/robots.txt", want: true},
		{addr: "192.0.2.20", path: "/a/robots.txt"},
		{addr: "192.0.2.20"},
		{addr: "192.0.2.30", agent: "Crawler", names: "a.bot.example.", want: true},
		{addr: "192.0.2.30", agent: "Crawler", names: "x.org. SEARCH.example.", want: true},
		{addr: "192.0.2.30", agent: "Crawler", names: "robot.example."},
		{addr: "192.0.2.30", agent: "Crawler", names: "bot.example.org."},
		{addr: "192.0.2.30", agent: "Crawler"},
		{addr: "192.0.2.30", agent: "Mozilla", names: "a.bot.example."},
	} {
		visit := datafile.Visit{Addr: netip.MustParseAddr(test.addr), UserAgent: test.agent, Path: test.path}
		got := bots.Match(visit, func() []string { return strings.Fields(test.names) })
		if got != test.want {
			t.Errorf("%+v named %q: got %v", visit, test.names, got)
		}
	}
}

func TestBotsAskForNamesOnlyWhenTheyDecide(t *testing.T) {
	t.Parallel()
	bots, err := loadBots(t,
		`{"name":"a","user_agent":"crawler","rdns":["bot.example"]}`,
		`{"name":"b","user_agent":"crawler","rdns":["b.example"],"ips":["192.0.2.1"]}`,
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		addr, agent string
		want        int
	}{{"192.0.2.9", "crawler", 1}, {"192.0.2.9", "mozilla", 0}, {"192.0.2.1", "crawler", 0}} {
		asked := 0
		bots.Match(datafile.Visit{Addr: netip.MustParseAddr(test.addr), UserAgent: test.agent}, func() []string { asked++; return nil })
		if asked != test.want {
			t.Errorf("%s %s: asked %d times, want %d", test.addr, test.agent, asked, test.want)
		}
	}
}

func TestBotsRefuse(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`x`:                                             "invalid character",
		`{"ips":["192.0.2.1"]}`:                         "name is missing",
		`{"name":"a"}`:                                  "one of ips, ranges, rdns is required",
		`{"name":"a","rdns":[]}`:                        "one of ips, ranges, rdns is required",
		`{"name":"a","rdns":["."]}`:                     "a domain is empty",
		`{"name":"a","ips":["192.0.2.300"]}`:            "192.0.2.300",
		`{"name":"a","ranges":["192.0.2.0/33"]}`:        "192.0.2.0/33",
		`{"name":"a","ips":["192.0.2.1"],"url":"x"}`:    `unknown field "url"`,
		`{"name":"a","ips":["192.0.2.1"]} {"name":"b"}`: "something behind",
		`{"name":"a","ips":"192.0.2.1"}`:                "cannot unmarshal string",
	} {
		bots, err := loadBots(t, "# first", line)
		if bots != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: got %v", line, err)
		}
	}
}

func FuzzBots(f *testing.F) {
	f.Add(`{"name":"a","user_agent":"Bot","paths":["/a"],"rdns":[".example"]}`, "192.0.2.1", "bot", "/a/b", "x.example.")
	f.Add(`{"name":"a","ranges":["::/0"]}`, "::ffff:192.0.2.1", "", "", "")
	f.Fuzz(func(t *testing.T, line, addr, agent, path, name string) {
		parsed, err := netip.ParseAddr(addr)
		if err != nil {
			return
		}
		bots, err := loadBots(t, line)
		if err != nil {
			return
		}
		visit := datafile.Visit{Addr: parsed, UserAgent: agent, Path: path}
		vouched := func(names ...string) bool { return bots.Match(visit, func() []string { return names }) }
		if vouched() && !vouched(name) || vouched(name) && !vouched("z.invalid", name) {
			t.Fatal("a further name takes away what was there")
		}
	})
}
