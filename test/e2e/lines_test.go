package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// malformedLines are ten of each kind. None of them means anything to a parser of ours.
func malformedLines() map[string][]string {
	const (
		sshd  = "Mar 14 09:26:53 server sshd[1]: "
		nginx = "Mar 14 09:26:53 server nginx[1]: "
	)
	long := func(part string) string { return strings.Repeat(part, 1<<20)[:1<<20] }
	dated := func(date string) string {
		return date + " server sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2"
	}
	return map[string][]string{
		"invalid UTF-8": {
			"\xff\xfe\xfd", sshd + "caf\xc3", "\x80 begins in the middle", nginx + "\xed\xa0\x80", "\xf4\x90\x80\x80 too far",
			sshd + "Failed password for \xff from 192.0.2.\xff port 22 ssh2", "\xc0\xaf overlong", sshd + "\xf0\x9f ends early",
			nginx + "192.0.2.1 - - [\xe9] \"GET / HTTP/1.1\" 404 1 \"-\" \"-\"", "{\"msg\": \"\xff\"}",
		},
		"1 MiB": {
			long("a"), long("a "), long("192.0.2.1 "), long(`"`), long("["), long(`{"a":`), long("key=value "),
			long("Mar 14 "), long(sshd), long("Failed password for root from 192.0.2.1 port 22 ssh2 "),
		},
		"NUL bytes": {
			"\x00", strings.Repeat("\x00", 4096), "a\x00b", sshd + "\x00", sshd + "Failed\x00 password for root from 192.0.2.1 port 22 ssh2",
			sshd + "Failed password for root from 192.0.2\x00.1 port 22 ssh2", nginx + "192.0.2.1 - -\x00 [14/Mar/2026:09:26:53 +0000]",
			"Mar 14 09:26:53\x00 server sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2", "{\"a\": \"\x00\"}", "key=\x00 \x00=value",
		},
		"broken JSON": {
			"{", `{"a"`, `{"a":`, `{"a": 1,}`, `{"a": 1e999999}`, `[1, 2`, `{"a": "\ud800"`, sshd + `{"a": {"a": {"a": }}}`, strings.Repeat(`{"a":[`, 2000),
			nginx + `{"remote_addr": "192.0.2.1", "status": }`,
		},
		"absurd dates": {
			dated("Foo 14 09:26:53"), dated("Mar 99 09:26:53"), dated("Mar 14 29:26:53"), dated("Mar 14 09:76:53"), dated("2026-13-14T09:26:53Z"),
			dated("2026-03-14T99:99:99Z"), dated("9999999-03-14T09:26:53Z"), dated("-62135596801"), dated("99999999999999999999"), dated("NaN"),
		},
	}
}

// TestMalformedLines writes ten lines of each kind into a followed log: all are counted as unparsed, and then an attack
// is noticed as ever.
func TestMalformedLines(t *testing.T) {
	t.Parallel()
	in := newInstance(t, "")
	metrics := freeAddress(t)
	_, port, _ := net.SplitHostPort(metrics)
	in.writeConfig("prometheus: {enabled: true, level: full, listen_addr: 127.0.0.1, listen_port: " + port + "}\n")
	in.installContent()
	in.write("scenarios/patient.yaml", patient)
	in.register()
	in.log("the log exists")
	in.startEngine().await("following log file")
	count := func(name string) int { return scraped(t, metrics, name) }
	written := 0
	for kind, lines := range malformedLines() {
		for _, line := range lines {
			in.log(line)
		}
		written += len(lines)
		eventually(t, kind+": lines are read", func() bool { return count("cs_parser_hits_total") == written })
		if parsed, unparsed := count("cs_parser_hits_ok_total"), count("cs_parser_hits_ko_total"); parsed != 0 || unparsed != written {
			t.Errorf("%s: %d lines are parsed, %d unparsed, want 0 and %d", kind, parsed, unparsed, written)
		}
	}
	in.log(bruteForce("198.51.100.7")...)
	eventually(t, "an attack is noticed", func() bool { return slices.Contains(in.bruteForces(), 6) })
	parsed, unparsed := count("cs_parser_hits_ok_total"), count("cs_parser_hits_ko_total")
	if parsed != 6 || unparsed != written {
		t.Errorf("%d lines are parsed, %d unparsed, want 6 and %d", parsed, unparsed, written)
	}
	t.Logf("measured: %d malformed lines, %d unparsed", written, unparsed)
}

// scraped returns the sum of the series of a metric.
func scraped(t *testing.T, address, name string) int {
	t.Helper()
	answer, err := http.Get(fmt.Sprintf("http://%s/metrics", address))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, line := range linesWith(string(text), name+"{") {
		value, err := strconv.Atoi(line[strings.LastIndexByte(line, ' ')+1 : len(line)-1])
		if err != nil {
			t.Fatal(err)
		}
		sum += value
	}
	return sum
}
