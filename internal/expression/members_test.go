package expression_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/expression"
)

// note is what Members is asked about.
type note struct {
	Meta    map[string]string
	Loose   map[string]any
	Inner   struct{ Name string }
	Time    time.Time
	Numbers []int
}

// Get is a method that reads who knows what.
func (t *note) Get(key string) string { return t.Meta[key] }

// shelf holds things.
type shelf struct {
	Things []*note
	Label  string
}

// All returns the things.
func (s shelf) All() []*note { return s.Things }

type surroundings struct {
	One   *note `expr:"one"`
	Shelf shelf `expr:"shelf"`
	Room  *struct {
		Shelf shelf
		Size  int
	} `expr:"room"`
	Other map[string]any `expr:"other"`
}

func TestMembers(t *testing.T) {
	t.Parallel()
	const unknown = "?"
	for _, test := range []struct{ text, want string }{
		{`1 + 1`, ""},
		{`other.Meta.x == 1`, ""},
		{`one.Meta.user == "root"`, "Meta.user"},
		{`one.Meta["user"] + one.Inner.Name`, "Inner.Name Meta.user"},
		{`one?.Loose?.a?.b ?? "none"`, "Loose.a"},
		{`one.Time.Hour() > 3`, "Time"},
		{`one.Meta[one.Inner.Name] == ""`, "Inner.Name Meta"},
		{`"user" in one.Meta`, "Meta"},
		{`one.Get("user")`, "Get"},
		{`one != nil && one.Meta.x != nil`, "Meta.x"},
		{`one.Numbers[0] + len(one.Numbers)`, "Numbers"},
		{`any(one.Numbers, # > 3)`, "Numbers"},
		{`len(shelf.Things) > 3 && shelf.Label == "" && room.Size > 1`, ""},
		{`shelf.Things[-1].Meta.x == room.Shelf.Things[0].Meta.y`, "Meta.x Meta.y"},
		{`any(shelf.All(), .Meta.user == "root")`, "Meta.user"},
		{`any(shelf.Things, # == nil)`, ""},
		{`map(shelf.Things[-4:], {#.Time})`, "Time"},
		{`let old = filter(shelf.Things, {#.Meta.a == "b"}); len(old) > 4 && len(map(old[-4:], {#.Time})) > 1`, "Meta.a Time"},
		{`filter(shelf.Things, .Meta.a == "b")[0].Inner.Name`, "Inner.Name Meta.a"},
		{`map(filter(shelf.Things, .Meta.a == "b"), .Meta.c)`, "Meta.a Meta.c"},
		{`map(map(shelf.Things, #), .Meta.c)`, "Meta.c"},
		{`sum(map(shelf.Things, {len(#.Meta.c)}))`, "Meta.c"},
		{`count(shelf.Things, .Inner.Name in ["a", "b"]) > 2`, "Inner.Name"},
		{`find(shelf.Things, .Meta.a == "x")?.Meta.b`, "Meta.a Meta.b"},
		{`first(shelf.Things).Meta.b + last(sortBy(shelf.Things, .Meta.c)).Meta.d`, "Meta.b Meta.c Meta.d"},
		{`map(groupBy(shelf.Things, .Meta.user)["root"], .Time)`, "Meta.user Time"},
		{`all(shelf.Things, any(.Numbers, # == 1) || .Meta.x == "")`, "Meta.x Numbers"},
		{`(true ? shelf.Things[0] : one).Meta.x`, "Meta.x"},
		{`(one ?? shelf.Things[0]).Meta.x`, "Meta.x"},
		{`let x = one.Meta; x.user`, "Meta.user"},
		{`let x = 1; one.Meta.user; x`, "Meta.user"},
		{`[one.Meta.x, {"a": one.Meta.y}]`, "Meta.x Meta.y"},
		{`ToJsonString(one.Loose)`, "Loose"},
		{`one.Meta.a not in ["x"] ? one.Meta.b : one.Meta.c`, "Meta.a Meta.b Meta.c"},
		{`reduce(one.Numbers, #acc + #, 0)`, "Numbers"},

		{`one`, unknown},
		{`toJSON(one)`, unknown},
		{`ToJsonString(shelf)`, unknown},
		{`shelf.Things`, unknown},
		{`[one][0].Meta.x`, unknown},
		{`{"a": one}.a.Meta.x`, unknown},
		{`one == shelf.Things[0]`, unknown},
		{`reduce(shelf.Things, #acc + len(#.Meta.x), 0)`, unknown},
		{`toJSON(map(shelf.Things, #))`, unknown},
		{`$env.one.Meta.x`, unknown},
	} {
		compiled, err := expression.New(expression.Deps{}).CompileAny(test.text, surroundings{})
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		paths, known := compiled.Members(reflect.TypeFor[note]())
		got := unknown
		if known {
			var names []string
			for _, path := range paths {
				names = append(names, strings.Join(path, "."))
			}
			slices.Sort(names)
			got = strings.Join(names, " ")
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.text, fmt.Sprintf("%q", got), test.want)
		}
	}
}
