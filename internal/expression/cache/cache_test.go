package cache_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/expression/cache"
)

func TestParseStrategy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]cache.Strategy{"": cache.LRU, "LRU": cache.LRU, "LFU": cache.LFU, "ARC": cache.ARC} {
		if got, err := cache.ParseStrategy(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	if _, err := cache.ParseStrategy("lru"); err == nil {
		t.Error("lru in lower case is accepted")
	}
}

// Each row says in steps what is put ("+a") and read ("a"), then which of "abcd" are left.
func TestVictims(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		strategy cache.Strategy
		size     int
		steps    []string
		left     string
	}{
		{"lru drops the oldest", cache.LRU, 2, []string{"+a", "+b", "+c"}, "bc"},
		{"lru keeps what is read", cache.LRU, 2, []string{"+a", "+b", "a", "+c"}, "ac"},
		{"lru keeps what is put again", cache.LRU, 2, []string{"+a", "+b", "+a", "+c"}, "ac"},
		{"lfu drops the least read", cache.LFU, 2, []string{"+a", "a", "a", "+b", "b", "+c"}, "ac"},
		{"lfu drops the older of equals", cache.LFU, 2, []string{"+a", "+b", "+c"}, "bc"},
		{"lfu counts from one again", cache.LFU, 2, []string{"+a", "a", "+b", "+c", "+d"}, "ad"},
		{"arc keeps what is read through a scan", cache.ARC, 2, []string{"+a", "a", "+b", "+c", "+d"}, "ad"},
		{"arc makes room for recent keys when it misses one", cache.ARC, 2, []string{"+a", "a", "+b", "+c", "+b"}, "bc"},
		{"size below one is one", cache.LRU, 0, []string{"+a", "+b"}, "b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := cache.New[string, string](cache.Options{Size: test.size, Strategy: test.strategy, Now: time.Now})
			for _, step := range test.steps {
				if step[0] == '+' {
					c.Put(step[1:], "value of "+step[1:])
				} else if _, ok := c.Get(step); !ok {
					t.Fatalf("%s is gone too early", step)
				}
			}
			left := ""
			for _, key := range []string{"a", "b", "c", "d"} {
				if value, ok := c.Get(key); ok {
					left += key
					if value != "value of "+key {
						t.Errorf("%s has %q", key, value)
					}
				}
			}
			if left != test.left {
				t.Errorf("left are %q, want %q", left, test.left)
			}
		})
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	c := cache.New[string, int](cache.Options{Size: 3, TTL: time.Minute, Now: func() time.Time { return now }})
	c.Put("a", 1)
	c.PutFor("b", 2, time.Second)
	c.PutFor("c", 3, 0)
	now = now.Add(time.Second - 1)
	if _, ok := c.Get("b"); !ok {
		t.Error("b is gone before its time")
	}
	now = now.Add(1)
	if _, ok := c.Get("b"); ok {
		t.Error("b outlives its time")
	}
	now = now.Add(time.Hour)
	if _, ok := c.Get("a"); ok {
		t.Error("a outlives the cache's time")
	}
	if value, ok := c.Get("c"); !ok || value != 3 {
		t.Error("c is not kept for ever")
	}
	if c.Len() != 1 {
		t.Errorf("%d values are held, want 1", c.Len())
	}
}

func TestLaws(t *testing.T) {
	t.Parallel()
	for _, strategy := range []cache.Strategy{cache.LRU, cache.LFU, cache.ARC} {
		t.Run(fmt.Sprint(strategy), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { checkLaws(t, strategy) })
		})
	}
}

func checkLaws(t *rapid.T, strategy cache.Strategy) {
	now := time.Unix(1000, 0)
	size := rapid.IntRange(1, 6).Draw(t, "size")
	c := cache.New[int, int](cache.Options{Size: size, Strategy: strategy, Now: func() time.Time { return now }})
	type put struct {
		value   int
		expires time.Time
	}
	last := map[int]put{}
	key := rapid.IntRange(0, 9)
	t.Repeat(map[string]func(*rapid.T){
		"put": func(t *rapid.T) {
			k, ttl := key.Draw(t, "key"), time.Duration(rapid.IntRange(1, 9).Draw(t, "ttl"))
			last[k] = put{value: len(last)*100 + int(ttl), expires: now.Add(ttl)}
			c.PutFor(k, last[k].value, ttl)
			if got, ok := c.Get(k); !ok || got != last[k].value {
				t.Fatalf("%d is %d, %v right after it was put", k, got, ok)
			}
		},
		"get": func(t *rapid.T) {
			k := key.Draw(t, "key")
			got, ok := c.Get(k)
			if ok && (got != last[k].value || !now.Before(last[k].expires)) {
				t.Fatalf("%d is %d, last put %v at %v", k, got, last[k], now)
			}
		},
		"wait": func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 4).Draw(t, "ns"))) },
		"": func(t *rapid.T) {
			if c.Len() > size {
				t.Fatalf("%d values in a cache of %d", c.Len(), size)
			}
		},
	})
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	for _, strategy := range []cache.Strategy{cache.LRU, cache.LFU, cache.ARC} {
		c := cache.New[int, int](cache.Options{Size: 10, Strategy: strategy, Now: time.Now})
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				for i := range 1000 {
					key := (i*7 + worker) % 30
					c.Put(key, key)
					if got, ok := c.Get(key); ok && got != key {
						t.Errorf("%d is %d", key, got)
					}
				}
			})
		}
		group.Wait()
	}
}
