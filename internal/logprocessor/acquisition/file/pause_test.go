package file

import (
	"testing"
	"time"

	"shieldwall/internal/logprocessor/acquisition/checkpoint"
)

func TestLengthOfAPause(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	for name, test := range map[string]struct {
		stop checkpoint.Stop[place]
		want bool
	}{
		"none":                         {checkpoint.Stop[place]{At: now}, false},
		"a minute":                     {checkpoint.Stop[place]{At: now.Add(-time.Minute)}, false},
		"longer":                       {checkpoint.Stop[place]{At: now.Add(-time.Minute - 1)}, true},
		"of unknown length":            {checkpoint.Stop[place]{}, true},
		"less, by a clock set back":    {checkpoint.Stop[place]{At: now.Add(time.Hour)}, true},
		"none, in an unfinished one":   {checkpoint.Stop[place]{At: now, Position: place{Backlog: true}}, true},
		"a bit less, by a clock drift": {checkpoint.Stop[place]{At: now.Add(time.Second)}, false},
	} {
		if got := resumed(test.stop, now).Backlog; got != test.want {
			t.Errorf("%s: backlog %v, want %v", name, got, test.want)
		}
	}
}
