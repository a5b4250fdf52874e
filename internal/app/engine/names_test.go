package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"shieldwall/internal/app/engine"
)

// everyLine alerts on each line, an address, unless its name is that of a friend.
var everyLine = map[string]string{
	"parsers/s00-raw/a.yaml": "name: a\ngrok: {pattern: '%{IP:ip}', apply_on: Line.Raw}\n" +
		"statics: [{meta: source_ip, expression: evt.Parsed.ip}, {target: MarshaledTime, value: '2026-01-01T00:00:00Z'}]\n",
	"scenarios/a.yaml": "name: a\ndescription: a\ntype: trigger\nfilter: evt.GetType() == 'log'\n",
	"postoverflows/s00-enrich/a.yaml": "name: a\nonsuccess: next_stage\n" +
		"statics: [{method: reverse_dns, expression: evt.Overflow.Alert.Source.IP}]\n",
	"postoverflows/s01-whitelist/a.yaml": "name: b\n" +
		"whitelist: {reason: friend, expression: [\"evt.Enriched.reverse_dns == 'friend.example.'\"]}\n",
}

// someServers know nine of ten addresses. For the others they never answer.
type someServers struct{}

func (someServers) LookupAddr(ctx context.Context, text string) ([]string, error) {
	if addr := netip.MustParseAddr(text); addr.As4()[3]%10 != 0 {
		return []string{"friend.example."}, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (someServers) LookupHost(ctx context.Context, _ string) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestNameServersDoNotHoldUpTheLog: names that can be had are had, and for the others nobody waits long.
func TestNameServersDoNotHoldUpTheLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFiles(t, dir, everyLine)
	const lines = 100
	var log strings.Builder
	for i := range lines {
		fmt.Fprintf(&log, "192.0.2.%d\n", i)
	}
	writeFiles(t, dir, map[string]string{"a.log": log.String()})
	writeConfig(t, dir, filepath.Join(dir, "hub"), "")
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		begin := time.Now()
		err := engine.Run(t.Context(), engine.Options{
			ConfigPath: filepath.Join(dir, "config.yaml"), NoLocalAPI: true,
			DSN: "file://" + filepath.Join(dir, "a.log"), Type: "test", DumpDir: filepath.Join(dir, "dump"),
		}, engine.Surroundings{
			Env: func(string) (string, bool) { return "", false }, Now: time.Now, Stdout: &out, Stderr: &out, Names: someServers{},
		})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > 4*time.Second {
			t.Errorf("took %v", took)
		}
		if got := strings.Count(out.String(), `msg="overflow is whitelisted`); got != 9*lines/10 {
			t.Errorf("%d of %d friends were recognised", got, 9*lines/10)
		}
		time.Sleep(time.Minute) // look-ups that nobody waits for end, too
	})
	dump, err := os.ReadFile(filepath.Join(dir, "dump", "bucket-dump.yaml"))
	if got := bytes.Count(dump, []byte("MapKey")); err != nil || got != lines {
		t.Errorf("%d overflows, %v, want %d", got, err, lines)
	}
}
