package expression_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/expression"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestConvertHelpers(t *testing.T) {
	t.Parallel()
	run(t, bare(), []row{
		{expr: `Atof("1.5")`, want: 1.5},
		{expr: `Atof("nope")`, want: 0.0},
		{expr: `Atof("1e999")`, want: math.Inf(1)},
		{expr: `Atof("-1e999")`, want: math.Inf(-1)},
		{expr: `B64Decode("aGVsbG8=")`, want: "hello"},
		{expr: `B64Decode("aGVsbG8")`, err: "illegal base64 data"},
		{expr: `B64Decode("_w==")`, err: "illegal base64 data"},
		{expr: `B64Decode("")`, want: ""},
		{expr: `FloatApproxEqual(1.0, 1.0000009)`, want: true},
		{expr: `FloatApproxEqual(1.0, 1.0000011)`, want: false},
		{expr: `FloatApproxEqual(3, 3)`, want: true},
		{expr: `FloatApproxEqual(value, 3)`, want: true},
		{expr: `ToJsonString({"a": [1, nil, "<b>"]})`, want: `{"a":[1,null,"\u003cb\u003e"]}`},
		{expr: `ToJsonString("x")`, want: `"x"`},
		{expr: `ToJsonString(1.0 / 0)`, want: ""},
		{expr: `ToString("x")`, want: "x"},
		{expr: `ToString(1)`, want: ""},
		{expr: `ToString(nil)`, want: ""},
	}, variables{Value: 3.0})
}

func TestAtofWarns(t *testing.T) {
	t.Parallel()
	log := new(bytes.Buffer)
	lib := expression.New(expression.Deps{Log: slog.New(slog.NewTextHandler(log, nil))})
	if _, err := eval(t, lib, `Atof("1")`, variables{}); err != nil || log.Len() > 0 {
		t.Fatalf("a number: error %v, log %s", err, log)
	}
	if _, err := eval(t, lib, `Atof("x")`, variables{}); err != nil || !strings.Contains(log.String(), "level=WARN") {
		t.Fatalf("not a number: error %v, log %s", err, log)
	}
}

func TestListHelpers(t *testing.T) {
	t.Parallel()
	run(t, bare(), []row{
		{expr: `Distinct(["b", "a", "b", 1, 1.0, nil, nil])`, want: []any{"b", "a", 1, 1.0, nil}},
		{expr: `Distinct([{"a": 1}, {"a": 1}, [1], [1], [2]])`, want: []any{map[string]any{"a": 1}, []any{1}, []any{2}}},
		{expr: `Distinct(list)`, want: []any{"x", "y"}},
		{expr: `Distinct([])`, want: []any{}},
		{expr: `Distinct("text")`, want: []any(nil)},
		{expr: `Distinct(nil)`, want: []any(nil)},
		{expr: `Flatten([1, [2, [3]]], 4, list, nil)`, want: []any{1, 2, 3, 4, "x", "y", "x", nil}},
		{expr: `Flatten()`, want: []any{}},
		{expr: `Flatten("text", {"a": [1]})`, want: []any{"text", map[string]any{"a": []any{1}}}},
		{expr: `FlattenDistinct([1, [2, 1]], 2, list)`, want: []any{1, 2, "x", "y"}},
		{expr: `KeyExists("a", into)`, want: true},
		{expr: `KeyExists("b", into)`, want: false},
	}, variables{List: []string{"x", "y", "x"}, Into: map[string]any{"a": nil}})
}

func TestIntervalHelpers(t *testing.T) {
	t.Parallel()
	start := at(t, "2026-01-02T03:04:05Z")
	times := []time.Time{start.Add(10 * time.Minute), start, start.Add(time.Minute), start.Add(3 * time.Minute)}
	given := slices.Clone(times)
	run(t, bare(), []row{
		{expr: `AverageInterval(times)`, want: 10 * time.Minute / 3},
		{expr: `AverageInterval(times[:2])`, want: 10 * time.Minute},
		{expr: `AverageInterval(times[:1])`, err: "at least two times"},
		{expr: `AverageInterval(value)`, err: "list holds string, want time.Time"},
		{expr: `MedianInterval(times)`, want: 2 * time.Minute},
		{expr: `MedianInterval(times[1:])`, want: 90 * time.Second},
		{expr: `MedianInterval(map(times, {#}))`, want: 2 * time.Minute},
		{expr: `MedianInterval(map(times[-3:], {#.UTC()})) > duration("80s")`, want: true},
		{expr: `MedianInterval([])`, err: "at least two times"},
		{expr: `MedianInterval([1, 2])`, err: "list holds int, want time.Time"},
		{expr: `MedianInterval(into.missing)`, err: "want a list of times"},
	}, variables{Times: times, Value: []any{"x", start}})
	if !slices.Equal(times, given) {
		t.Fatalf("the list was reordered: %v", times)
	}
}

func TestTimeHelpers(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*60*60)
	lib := expression.New(expression.Deps{Now: func() time.Time { return at(t, "2026-01-02T03:04:05.678Z").In(zone) }})
	run(t, lib, []row{
		{expr: `TimeNow()`, want: "2026-01-02T03:04:05Z"},
		{expr: `ParseUnix("1700000000")`, want: "2023-11-15T00:13:20+02:00"},
		{expr: `ParseUnix("1700000000.9")`, want: "2023-11-15T00:13:20+02:00"},
		{expr: `ParseUnix("0")`, want: ""},
		{expr: `ParseUnix("-1")`, want: ""},
		{expr: `ParseUnix("soon")`, want: ""},
		{expr: `ParseUnix("")`, want: ""},
		{expr: `ParseUnix(".5")`, want: ""},
	}, variables{})
}

func TestURIHelpers(t *testing.T) {
	t.Parallel()
	run(t, bare(), []row{
		{expr: `ExtractQueryParam("/p?a=1&b=2&a=3", "a")`, want: []string{"1", "3"}},
		{expr: `ExtractQueryParam("/p?a=1", "b")`, want: []string{}},
		{expr: `ExtractQueryParam("/p", "a")`, want: []string{}},
		{expr: `ExtractQueryParam("?a=x;y&b", "a")`, want: []string{"x;y"}},
		{expr: `ExtractQueryParam("?a=x;y&b", "b")`, want: []string{""}},
		{expr: `ExtractQueryParam("?a=?b=c", "a")`, want: []string{"?b=c"}},
		{expr: `ExtractQueryParam("?a=%41%zz%4+b%", "a")`, want: []string{"A%zz%4 b%"}},
		{expr: `ExtractQueryParam("?%61=1", "a")`, want: []string{"1"}},
		{expr: `ParseQuery("a=1&&b=2;c=3&a=%")`, want: url.Values{"a": {"1", "%"}, "b": {"2;c=3"}}},
		{expr: `ParseQuery("")`, want: url.Values{}},
		{expr: `ParseUri("/p?a=1&a=2&b")`, want: map[string][]string{"a": {"1", "2"}, "b": {""}}},
		{expr: `ParseUri("/p?a=%zz")`, want: map[string][]string{}},
		{expr: `ParseUri("/p?a=1;b=2")`, want: map[string][]string{}},
		{expr: `ParseUri("http://[")`, want: map[string][]string{}},
		{expr: `PathEscape("a b/c+")`, want: "a%20b%2Fc+"},
		{expr: `QueryEscape("a b/c+")`, want: "a+b%2Fc%2B"},
		{expr: `PathUnescape("a%20b+%2F")`, want: "a b+/"},
		{expr: `PathUnescape("%zz%20")`, want: "%zz%20"},
		{expr: `QueryUnescape("a%20b+c")`, want: "a b c"},
		{expr: `QueryUnescape("%zz+")`, want: "%zz+"},
	}, variables{})
}

func FuzzParseQuery(f *testing.F) {
	f.Add("a=1&b=%41;c")
	f.Add("%&%%=+&==&a")
	program, err := bare().CompileAny("ParseQuery(text)", variables{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, err := program.Eval(variables{Text: query})
		if err != nil {
			t.Fatal(err)
		}
		strict, err := url.ParseQuery(query)
		if values, ok := got.(url.Values); err == nil && (!ok || values.Encode() != strict.Encode()) {
			t.Fatalf("well-formed query %q is %v, want %v", query, got, strict)
		}
	})
}

func TestAddressHelpers(t *testing.T) {
	t.Parallel()
	run(t, bare(), []row{
		{expr: `IpInRange("192.0.2.7", "192.0.2.0/24")`, want: true},
		{expr: `IpInRange("192.0.3.7", "192.0.2.0/24")`, want: false},
		{expr: `IpInRange("::ffff:192.0.2.7", "192.0.2.0/24")`, want: true},
		{expr: `IpInRange("192.0.2.7", "::ffff:192.0.2.0/120")`, want: true},
		{expr: `IpInRange("192.0.2.7", "::ffff:0.0.0.0/96")`, want: true},
		{expr: `IpInRange("192.0.2.7", "::ffff:0.0.0.0/95")`, want: false},
		{expr: `IpInRange("192.0.2.7", "::/0")`, want: false},
		{expr: `IpInRange("2001:db8::1", "2001:db8::/32")`, want: true},
		{expr: `IpInRange("nope", "192.0.2.0/24")`, want: false},
		{expr: `IpInRange("192.0.2.7", "192.0.2.7")`, want: false},
		{expr: `IpInRange("192.0.2.7", "192.0.2.0/33")`, want: false},
		{expr: `IpInRange("", "")`, want: false},
		{expr: `IpToRange("192.0.2.7", "/24")`, want: "192.0.2.0/24"},
		{expr: `IpToRange("192.0.2.7", "24")`, want: "192.0.2.0/24"},
		{expr: `IpToRange("2001:db8:1:2:3::4", "/64")`, want: "2001:db8:1:2::/64"},
		{expr: `IpToRange("192.0.2.7", "/33")`, want: ""},
		{expr: `IpToRange("192.0.2.7", "x")`, want: ""},
		{expr: `IpToRange("192.0.2.7", "-1")`, want: ""},
		{expr: `IpToRange("nope", "/24")`, want: ""},
		{expr: `IpToRange("", "")`, want: ""},
		{expr: `IsIP("192.0.2.7")`, want: true},
		{expr: `IsIP("2001:db8::1")`, want: true},
		{expr: `IsIP("fe80::1%eth0")`, want: false},
		{expr: `IsIP("192.0.2.0/24")`, want: false},
		{expr: `IsIP("")`, want: false},
		{expr: `IsIPV4("192.0.2.7")`, want: true},
		{expr: `IsIPV4("::ffff:192.0.2.7")`, want: true},
		{expr: `IsIPV4("2001:db8::1")`, want: false},
		{expr: `IsIPV6("2001:db8::1")`, want: true},
		{expr: `IsIPV6("::ffff:192.0.2.7")`, want: false},
		{expr: `IsIPV6("192.0.2.7")`, want: false},
		{expr: `IsIPV6("nope")`, want: false},
	}, variables{})
}

// The published behaviour is that of package net, which is slower.
func TestIpInRangeIsThatOfNet(t *testing.T) {
	t.Parallel()
	program, err := bare().CompileBool("IpInRange(text, other)", variables{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		base := drawAddr(t, "base")
		cidr := base.String() + "/" + rapid.StringMatching(`0{0,2}[0-9]{0,3}`).Draw(t, "bits")
		addr := drawAddr(t, "addr")
		if rapid.Bool().Draw(t, "same") {
			addr = base
		}
		want := false
		if _, network, err := net.ParseCIDR(cidr); err == nil {
			want = network.Contains(net.ParseIP(addr.String()))
		}
		if got, err := program.Eval(variables{Text: addr.String(), Other: cidr}); err != nil || got != want {
			t.Fatalf("IpInRange(%q, %q) is %v, %v, want %v", addr, cidr, got, err, want)
		}
	})
}

func drawAddr(t *rapid.T, label string) netip.Addr {
	bytes := [16]byte(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 127, 128, 255}), 16, 16).Draw(t, label))
	switch rapid.IntRange(0, 2).Draw(t, label+" kind") {
	case 0:
		return netip.AddrFrom4([4]byte(bytes[:4]))
	case 1:
		return netip.AddrFrom16(netip.AddrFrom4([4]byte(bytes[:4])).As16())
	}
	return netip.AddrFrom16(bytes)
}

func TestDistance(t *testing.T) {
	t.Parallel()
	run(t, bare(), []row{
		{expr: `round(Distance("48.8566", "2.3522", "51.5074", "-0.1278"))`, want: 344.0},
		{expr: `round(Distance("0", "10", "0", "-170"))`, want: 20015.0},
		{expr: `Distance("48.1", "2.1", "48.1", "2.1")`, want: 0.0},
		{expr: `Distance("0.000000", "0.000000", "48", "2")`, want: 0.0},
		{expr: `Distance("48", "2", "0", "0")`, want: 0.0},
		{expr: `Distance("0", "2", "0", "2.5") > 50`, want: true},
		{expr: `Distance("x", "2", "48", "2")`, err: "reading coordinate"},
		{expr: `Distance("48", "2", "48", "")`, err: "reading coordinate"},
	}, variables{})
}

func TestInjectionHelpers(t *testing.T) {
	t.Parallel()
	run(t, bare(), []row{
		{expr: `LibInjectionIsSQLI("1' OR '1'='1")`, want: true},
		{expr: `LibInjectionIsSQLI("a quiet word")`, want: false},
		{expr: `LibInjectionIsXSS("<script>alert(1)</script>")`, want: true},
		{expr: `LibInjectionIsXSS("a < b")`, want: false},
	}, variables{})
}

func TestXMLHelpers(t *testing.T) {
	t.Parallel()
	const event = `<Event><System><Provider Name="Sys&amp;mon"/><Id>7</Id></System>
		<EventData><Data Name="User">me &lt;x&gt;</Data><Data Name="Empty"/><Data Name="User">second</Data></EventData></Event>`
	run(t, bare(), []row{
		{expr: `XMLGetNodeValue(text, "/Event/System[1]/Id")`, want: "7"},
		{expr: `XMLGetNodeValue(text, "/Event/EventData[1]/Data[@Name='User']")`, want: "me <x>"},
		{expr: `XMLGetNodeValue(text, "/Event/EventData[1]/Data[@Name='Empty']")`, want: ""},
		{expr: `XMLGetNodeValue(text, "//Id")`, want: "7"},
		{expr: `XMLGetNodeValue(text, "/Event/Nope")`, want: ""},
		{expr: `XMLGetNodeValue(text, "/Event/[")`, want: ""},
		{expr: `XMLGetNodeValue(text, "")`, want: ""},
		{expr: `XMLGetNodeValue("<a><b>", "/a")`, want: ""},
		{expr: `XMLGetNodeValue("not xml", "/a")`, want: ""},
		{expr: `XMLGetNodeValue("", "/a")`, want: ""},
		{expr: `XMLGetAttributeValue(text, "/Event/System[1]/Provider", "Name")`, want: "Sys&mon"},
		{expr: `XMLGetAttributeValue(text, "/Event/System[1]/Provider", "Nope")`, want: ""},
		{expr: `XMLGetAttributeValue(text, "/Event/Nope", "Name")`, want: ""},
		{expr: `XMLGetAttributeValue("<a", "/a", "Name")`, want: ""},
	}, variables{Text: event})
}

func FuzzXML(f *testing.F) {
	f.Add(`<a b="c"><d>e</d></a>`, "/a/d[1]")
	f.Add(`<a`, "//[@b='c']/..")
	f.Add(`<!DOCTYPE x [<!ENTITY y "z">]><a>&y;</a>`, ".[text()='z']")
	program, err := bare().CompileString(`XMLGetNodeValue(text, other) + XMLGetAttributeValue(text, other, "b")`, variables{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		if _, err := program.Eval(variables{Text: text, Other: path}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestJA4H(t *testing.T) {
	t.Parallel()
	type env struct {
		Req *http.Request `expr:"req"`
	}
	program, err := bare().CompileString("JA4H(req)", env{})
	if err != nil {
		t.Fatal(err)
	}
	plain := &http.Request{Method: "GET", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}}
	full := plain.Clone(t.Context())
	full.ProtoMajor, full.ProtoMinor = 2, 0
	full.Header = http.Header{
		"Accept": {"*/*"}, "Accept-Language": {"en-US,en;q=0.9"}, "Referer": {"x"}, "Cookie": {"b=2; a=1"},
	}
	for want, request := range map[string]*http.Request{
		"": nil,
		"ge11nn000000_000000000000_000000000000_000000000000":                                     plain,
		"ge20cr02enus_" + sum("Accept,Accept-Language") + "_" + sum("a,b") + "_" + sum("a=1,b=2"): full,
	} {
		if got, err := program.Eval(env{Req: request}); err != nil || got != want {
			t.Errorf("yields %q, %v, want %q", got, err, want)
		}
	}
}

func TestToJsonStringIsJSON(t *testing.T) {
	t.Parallel()
	program, err := bare().CompileString("ToJsonString(value)", variables{})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	value := map[string]any{"n": random.Float64(), "s": "\x00é\u2028", "l": []any{nil, true}}
	got, err := program.Eval(variables{Value: value})
	if err != nil || !json.Valid([]byte(got)) {
		t.Fatalf("yields %q, %v", got, err)
	}
}
