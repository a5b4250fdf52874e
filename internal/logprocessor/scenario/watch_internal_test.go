package scenario

import (
	"fmt"
	"testing"
)

func TestRewrite(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ condition, want string }{
		{`len(queue.Queue) >= 2`, `watched.Len() >= 2 []`},
		{
			`len(queue.Queue) >= 4 && MedianInterval(map(queue.Queue[-4:], {#.Time})) >= duration("20m")`,
			`watched.Len() >= 4 && MedianInterval(watched.NewestTimes(4)) >= duration("20m") []`,
		},
		{
			`let f = filter(queue.Queue, {#.Meta.t == 'x'}); len(f) >= 4 && MedianInterval(map(f[-4:], {#.Time})) > duration("10m")`,
			`watched.Count(0) >= 4 && MedianInterval(watched.LastTimes(0, 4)) > duration("10m") [evt.Meta.t == "x"]`,
		},
		{
			`let a = filter(queue.Queue, {.Meta.t == 'x'}); let b = filter(queue.Queue, {.Meta.t == 'y'}); len(a) > len(b)`,
			`watched.Count(0) > watched.Count(1) [evt.Meta.t == "x" evt.Meta.t == "y"]`,
		},
		{
			`any(queue.Queue, {.Meta.exe in ["/a", "/b"]}) and any(queue.Queue, { !(.Meta.exe startsWith "/usr/" or .Parsed.e matches '^/bin') })`,
			`watched.Count(0) > 0 and watched.Count(1) > 0 [evt.Meta.exe in ["/a", "/b"] !(evt.Meta.exe startsWith "/usr/" or evt.Parsed.e matches "^/bin")]`,
		},
		{
			`all(queue.Queue, {.Meta.a != ""}) || none(queue.Queue, {.Meta.a != ""}) || count(queue.Queue, .Meta.a != "") > 2`,
			`watched.Count(0) == watched.Len() || watched.Count(0) == 0 || watched.Count(0) > 2 [evt.Meta.a != ""]`,
		},
		{
			`queue.Queue[0].Meta.exe == queue.Queue[-1].Meta.exe && evt.Meta.x == 'y'`,
			`watched.At(0).Meta.exe == watched.At(-1).Meta.exe && evt.Meta.x == "y" []`,
		},

		{`len(queue.Queue) > leaky.Total_count`, `whole`},
		{`any(queue.Queue, {.Meta.a == evt.Meta.a})`, `whole`},
		{`any(queue.Queue, {Lower(.Meta.a) == "x"})`, `whole`},
		{`any(queue.Queue, {.GetMeta("a") == "x"})`, `whole`},
		{`any(queue.Queue, {.Unmarshaled.a == "x"})`, `whole`},
		{`any(queue.Queue, {.Meta.a matches .Meta.b})`, `whole`},
		{`any(queue.Queue, {#index > 2})`, `whole`},
		{`let f = filter(queue.Queue, {.Meta.t == 'x'}); len(f) > 2 && f[0].Meta.a == 'b'`, `whole`},
		{`let f = filter(queue.Queue, {.Meta.t == 'x'}); len(f[-4:-1]) > 2`, `whole`},
		{`let f = len(queue.Queue); f > 2`, `let f = watched.Len(); f > 2 []`},
		{`len(queue.Queue[1:]) > 2`, `whole`},
		{`MedianInterval(map(queue.Queue, {#.Time})) > duration("1m")`, `whole`},
		{`syntax error`, `whole`},
	} {
		got := "whole"
		if rewritten, questions, ok := rewrite(test.condition); ok {
			got = fmt.Sprint(rewritten, " ", questions)
		}
		if got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.condition, got, test.want)
		}
	}
}
