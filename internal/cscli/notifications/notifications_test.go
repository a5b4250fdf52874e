package notifications

import "testing"

// What is read has a type, and its texts are expanded wherever they stand.
func FuzzParse(f *testing.F) {
	f.Add([]byte("type: slack\nname: a\nlist: [$A, {b: $A}]\n---\n---\ntype: http\n"))
	f.Add([]byte("name: x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		documents, err := parse(text)
		if err != nil {
			return
		}
		for _, document := range documents {
			if word(document["type"]) == "" {
				t.Errorf("%q has no type", text)
			}
			details(notification{Document: expanded(document, func(string) (string, bool) { return "x", true })})
		}
	})
}
