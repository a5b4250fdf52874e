package simulation

import (
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/config"
)

// Turning one scenario on or off does that, says whether it did, and leaves the others alone.
func TestTurningOneLeavesTheOthers(t *testing.T) {
	t.Parallel()
	names := []string{"a/one", "a/two", "b/three"}
	rapid.Check(t, func(t *rapid.T) {
		before := config.Simulation{
			All:        rapid.Bool().Draw(t, "all"),
			Exclusions: rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, "exclusions"),
		}
		name := rapid.SampledFrom(names).Draw(t, "name")
		to := modeOf(rapid.Bool().Draw(t, "to"))
		after, told := turn(before, name, to)
		if modeOf(after.Covers(name)) != to {
			t.Fatalf("%v of %+v gives %+v", to, before, after)
		}
		for _, other := range names {
			if other != name && after.Covers(other) != before.Covers(other) {
				t.Fatalf("%s has changed as well: %+v from %+v", other, after, before)
			}
		}
		if again, repeated := turn(after, name, to); len(again.Exclusions) != len(after.Exclusions) || repeated == told && modeOf(before.Covers(name)) != to {
			t.Fatalf("twice is not once: %+v, %q", again, repeated)
		}
	})
}
