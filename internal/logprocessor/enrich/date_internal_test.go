package enrich

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestBeginsRulesOutNoDate compares the glance with what time.Parse says about dates, and about what is nearly one.
func TestBeginsRulesOutNoDate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		written := rapid.SampledFrom(layouts[:]).Draw(t, "written")
		text := []byte(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "date"), 0).UTC().Format(written))
		if rapid.Bool().Draw(t, "damaged") {
			at := rapid.IntRange(0, min(6, len(text)-1)).Draw(t, "at")
			text = append(text[:at], append([]byte(rapid.SampledFrom([]string{"", " ", "0", "-"}).Draw(t, "by")), text[at+rapid.IntRange(0, 1).Draw(t, "over"):]...)...)
		}
		for _, layout := range layouts {
			if _, err := time.Parse(layout, string(text)); err == nil && !begins(string(text), layout) {
				t.Errorf("%q is a date in the layout %q", text, layout)
			}
		}
	})
}
