package listing_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/cscli/listing"
	"shieldwall/internal/cscli/session"
)

func words() listing.List[string] {
	return listing.List[string]{
		Record: func(word string) any { return map[string]string{"word": word} },
		Header: []string{"Word"}, Row: func(word string) []string { return []string{word} },
		RawHeader: []string{"word", "length"}, RawRow: func(word string) []string { return []string{word, strings.Repeat("x", len(word))} },
	}
}

func open(output session.Output, typed string) (s *session.Session, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	return &session.Session{
		Env:    session.Env{Stdin: strings.NewReader(typed), Stdout: stdout, Stderr: stderr},
		Output: output,
	}, stdout, stderr
}

func TestForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		output session.Output
		all    []string
		want   string
	}{
		{session.Human, []string{"a", "bc"}, "------\n Word \n------\n a    \n bc   \n------\n"},
		{session.Human, nil, "------\n Word \n------\n------\n"},
		{session.JSON, []string{"a"}, "[\n  {\n    \"word\": \"a\"\n  }\n]\n"},
		{session.JSON, nil, "[]\n"},
		{session.Raw, []string{"a", "b,c"}, "word,length\na,x\n\"b,c\",xxx\n"},
		{session.Raw, nil, "word,length\n"},
	} {
		s, stdout, _ := open(c.output, "")
		if err := words().Print(s, c.all); err != nil || stdout.String() != c.want {
			t.Errorf("%s %v: got %q, %v", c.output, c.all, stdout.String(), err)
		}
	}
}

func TestPruningStopsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	s, _, stderr := open(session.Human, "y\n")
	broken := errors.New("broken")
	var deleted []string
	err := words().Prune(t.Context(), s, []string{"a", "b", "c"}, listing.Pruning[string]{
		Noun: "words", Done: "deleted",
		Delete: func(_ context.Context, word string) error {
			if word == "b" {
				return broken
			}
			deleted = append(deleted, word)
			return nil
		},
	})
	if !errors.Is(err, broken) || err.Error() != "unable to prune words: 1 of 3 deleted: broken" || !slices.Equal(deleted, []string{"a"}) {
		t.Errorf("deleted %v, %v", deleted, err)
	}
	if strings.Contains(stderr.String(), "deleted 3") {
		t.Errorf("told %q", stderr.String())
	}
}
