package support

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const redacted = "****REDACTED****"

// shortestSecret is how long a text must be to be looked for in other texts: shorter ones are everywhere.
const shortestSecret = 4

// isSecret reports whether what stands under a key is nobody else's business.
func isSecret(key string) bool {
	key = strings.ToLower(key)
	if key == "key" || key == "dsn" {
		return true
	}
	return slices.ContainsFunc(
		[]string{"password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "webhook", "authorization", "shared_key"},
		func(word string) bool { return strings.Contains(key, word) },
	) && !strings.HasSuffix(key, "_path") && !strings.HasSuffix(key, "_file")
}

// isPrivate reports whether a value is left out where it stands, but no secret elsewhere: it may be a common word.
func isPrivate(key string) bool { return key == "user" || key == "host" }

// userOfURL is the name and password of a URL.
var userOfURL = regexp.MustCompile(`://[^/\s:@"']*:[^/\s@"']*@`)

// redactor takes secrets out of texts.
type redactor struct {
	forms []string // in which secrets appear, the longest first
}

// learn makes the secrets of a YAML file known. What is no YAML has none that could be told.
func (r *redactor) learn(text []byte) {
	for _, document := range documents(text) {
		walk(document, func(key string, value *yaml.Node) {
			if isSecret(key) && len(value.Value) >= shortestSecret {
				r.forms = append(r.forms, forms(value.Value)...)
			}
		})
	}
	slices.SortFunc(r.forms, func(a, b string) int { return len(b) - len(a) })
	r.forms = slices.Compact(r.forms)
}

// forms are the ways in which programs write a text.
func forms(secret string) []string {
	all := []string{secret, inner(strconv.Quote(secret)), url.QueryEscape(secret), url.PathEscape(secret)}
	if encoded, err := json.Marshal(secret); err == nil {
		all = append(all, inner(string(encoded)))
	}
	for line := range strings.Lines(secret) { // a YAML text over several lines may be indented elsewhere
		if line = strings.TrimSpace(line); len(line) >= shortestSecret {
			all = append(all, line)
		}
	}
	return all
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// text returns any text without the secrets that are known.
func (r *redactor) text(text []byte) []byte {
	for _, form := range r.forms {
		text = bytes.ReplaceAll(text, []byte(form), []byte(redacted))
	}
	return userOfURL.ReplaceAll(text, []byte("://"+redacted+"@"))
}

// yaml returns a YAML file without what its keys say is secret or private. Nothing of a file that cannot be read remains.
func (r *redactor) yaml(text []byte) []byte {
	all := documents(text)
	if all == nil && len(bytes.TrimSpace(text)) > 0 {
		return []byte("# this file is not valid YAML\n")
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	for _, document := range all {
		walk(document, func(key string, value *yaml.Node) {
			if (isSecret(key) || isPrivate(key)) && value.Value != "" {
				value.Value, value.Tag, value.Style = redacted, "!!str", 0
			}
		})
		if err := encoder.Encode(withoutComments(document)); err != nil {
			return []byte("# this file cannot be written again: " + err.Error() + "\n")
		}
	}
	return r.text(out.Bytes())
}

// documents returns nil for what is no YAML.
func documents(text []byte) (all []*yaml.Node) {
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			return nil
		}
		all = append(all, &document)
	}
}

// walk visits every scalar that stands under a key, those in lists and mappings under a key with that key first.
func walk(node *yaml.Node, visit func(key string, value *yaml.Node)) { walkUnder("", node, visit) }

func walkUnder(key string, node *yaml.Node, visit func(key string, value *yaml.Node)) {
	switch node.Kind {
	case yaml.ScalarNode:
		visit(key, node)
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			name := node.Content[i].Value
			if isSecret(key) { // all of a section that is secret
				name = key
			}
			walkUnder(name, node.Content[i+1], visit)
		}
	case yaml.AliasNode:
		if node.Alias.Kind == yaml.ScalarNode { // others are visited where they stand
			visit(key, node.Alias)
		}
	case yaml.DocumentNode, yaml.SequenceNode:
		for _, child := range node.Content {
			walkUnder(key, child, visit)
		}
	}
}

// withoutComments leaves out what people noted: old passwords, for example.
func withoutComments(node *yaml.Node) *yaml.Node {
	node.HeadComment, node.LineComment, node.FootComment = "", "", ""
	for _, child := range node.Content {
		withoutComments(child)
	}
	return node
}
