package localapi_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// contract is the OpenAPI document, which every answer of these tests is held against.
type contract struct {
	document map[string]any
	compiler *jsonschema.Compiler

	mu      sync.Mutex // guards the schemas
	schemas map[string]*jsonschema.Schema
}

var openContract = sync.OnceValues(func() (*contract, error) {
	source, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	var written any
	if err := yaml.Unmarshal(source, &written); err != nil {
		return nil, err
	}
	text, err := json.Marshal(written)
	if err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := &contract{compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	c.document, _ = document.(map[string]any)
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	return c, c.compiler.AddResource("openapi.json", document)
})

// at walks down from the root of the document, following references.
func (c *contract) at(keys ...string) map[string]any {
	node := c.document
	for _, key := range keys {
		node, _ = node[key].(map[string]any)
		if ref, ok := node["$ref"].(string); ok {
			node = c.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
	}
	return node
}

// pathOf returns the documented path that a request is for, "" for none. Literal paths go first.
func (c *contract) pathOf(escaped string) string {
	paths := slices.SortedFunc(maps.Keys(c.at("paths")), func(a, b string) int {
		return strings.Count(a, "{") - strings.Count(b, "{")
	})
	for _, path := range paths {
		if fits(strings.Split(path, "/"), strings.Split(escaped, "/")) {
			return path
		}
	}
	return ""
}

func fits(template, segments []string) bool {
	return slices.EqualFunc(template, segments, func(part, segment string) bool {
		return part == segment || strings.HasPrefix(part, "{") && segment != ""
	})
}

func (c *contract) schema(pointer string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if schema, ok := c.schemas[pointer]; ok {
		return schema, nil
	}
	schema, err := c.compiler.Compile("openapi.json#" + pointer)
	c.schemas[pointer] = schema
	return schema, err
}

// checkContract checks that an answer is one that the document allows.
func checkContract(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	c, err := openContract()
	if err != nil {
		t.Fatal(err)
	}
	path := c.pathOf(r.URL.EscapedPath())
	operation := c.at("paths", path, strings.ToLower(r.Method))
	switch {
	case path == "":
		if w.Code != 404 && w.Code != 301 && w.Code != 307 || w.Code == 404 && w.Body.Len() != 0 {
			t.Errorf("%s %s: %d %q for an undocumented path", r.Method, r.URL, w.Code, w.Body)
		}
	case operation == nil:
		if w.Code != 405 || w.Body.Len() != 0 || w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: %d %q for an undocumented method", r.Method, r.URL, w.Code, w.Body)
		}
	default:
		c.checkAnswer(t, r, w, path)
	}
}

func (c *contract) checkAnswer(t *testing.T, r *http.Request, w *httptest.ResponseRecorder, path string) {
	t.Helper()
	method, status := strings.ToLower(r.Method), strconv.Itoa(w.Code)
	if c.at("paths", path, method, "responses", status) == nil {
		if status = "default"; w.Code != 500 && w.Code != 503 {
			t.Errorf("%s %s: status %d is not documented: %s", r.Method, r.URL, w.Code, w.Body)
			return
		}
	}
	response := c.at("paths", path, method, "responses", status)
	isBare := w.Body.Len() == 0 && (w.Code == 400 || w.Code == 500) // no gzip, or a panic
	switch {
	case r.Method == http.MethodHead || isBare:
	case response["content"] == nil:
		if w.Body.Len() != 0 || w.Header().Get("Content-Type") != "" {
			t.Errorf("%s %s: %d has a body: %s", r.Method, r.URL, w.Code, w.Body)
		}
	default:
		c.checkBody(t, r, w, "/paths/"+strings.ReplaceAll(path, "/", "~1")+"/"+method+"/responses/"+status)
	}
}

func (c *contract) checkBody(t *testing.T, r *http.Request, w *httptest.ResponseRecorder, pointer string) {
	t.Helper()
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		t.Errorf("%s %s: content type %q", r.Method, r.URL, got)
	}
	keys := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	keys[1] = strings.ReplaceAll(keys[1], "~1", "/")
	parent := c.document
	for _, key := range keys[:len(keys)-1] {
		parent, _ = parent[key].(map[string]any)
	}
	response, _ := parent[keys[len(keys)-1]].(map[string]any)
	if ref, ok := response["$ref"].(string); ok {
		pointer = strings.TrimPrefix(ref, "#")
	}
	schema, err := c.schema(strings.NewReplacer("{", "%7B", "}", "%7D").Replace(pointer) + "/content/application~1json/schema")
	if err != nil {
		t.Fatal(err)
	}
	body, err := jsonschema.UnmarshalJSON(plain(t, w))
	if err != nil {
		t.Errorf("%s %s: no JSON: %v", r.Method, r.URL, err)
		return
	}
	if err := schema.Validate(body); err != nil {
		t.Errorf("%s %s: %d %s\n%v", r.Method, r.URL, w.Code, w.Body, err)
	}
}

// plain returns the body of an answer as it was before it was compressed.
func plain(t *testing.T, w *httptest.ResponseRecorder) io.Reader {
	t.Helper()
	if w.Header().Get("Content-Encoding") != "gzip" {
		return bytes.NewReader(w.Body.Bytes())
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return unpacked
}

func TestTheDocumentIsServed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	w := f.call("GET", "/v1/openapi.json", "")
	var document struct {
		OpenAPI string `json:"openapi"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil || w.Code != 200 || document.OpenAPI != "3.1.0" {
		t.Errorf("got %d, %v, %+v", w.Code, err, document)
	}
}

// TestEveryReferenceLeadsSomewhere compiles all schemas of the document.
func TestEveryReferenceLeadsSomewhere(t *testing.T) {
	t.Parallel()
	c, err := openContract()
	if err != nil {
		t.Fatal(err)
	}
	for name := range c.at("components", "schemas") {
		if _, err := c.schema("/components/schemas/" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var walk func(node any)
	walk = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			if ref, ok := node["$ref"].(string); ok && c.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...) == nil {
				t.Errorf("%s leads nowhere", ref)
			}
			for _, child := range node {
				walk(child)
			}
		case []any:
			for _, child := range node {
				walk(child)
			}
		}
	}
	walk(c.document)
}
