// Package yamlfile reads configuration files the way all published ones are read: a `.local` file beside
// is merged over the main one, environment variables that exist are expanded, unknown and repeated keys are
// errors that name file and line.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Env looks up an environment variable, as os.LookupEnv does.
type Env func(name string) (string, bool)

// Read returns the text of path with path+".local", if it exists, merged over it and with the variables
// that env knows expanded.
func Read(path string, env Env) ([]byte, error) {
	text, err := ReadMerged(path)
	if err != nil {
		return nil, err
	}
	return []byte(Expand(string(text), env)), nil
}

// ReadMerged is Read without the expansion of variables.
func ReadMerged(path string) ([]byte, error) {
	base, err := os.ReadFile(path) //nolint:gosec // the administrator names the file
	if err != nil {
		return nil, fmt.Errorf("while reading yaml file: %w", err)
	}
	patch, err := os.ReadFile(path + ".local") //nolint:gosec // as above
	if errors.Is(err, fs.ErrNotExist) {
		return base, nil
	}
	if err != nil {
		return nil, fmt.Errorf("while reading yaml file: %w", err)
	}
	merged, err := Merge(base, patch)
	if err != nil {
		return nil, fmt.Errorf("merging %s.local into %s: %w", path, path, err)
	}
	return merged, nil
}

// Decode reads the first document of text into target, a pointer to a struct. Unknown and repeated keys
// are errors. An empty text leaves target as it is.
func Decode(path string, text []byte, target any) error {
	decoder := strictDecoder(text)
	if err := decoder.Decode(target); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", path, oneLine(text, err))
	}
	return nil
}

// DecodeLenient is Decode, but unknown keys are ignored.
func DecodeLenient(path string, text []byte, target any) error {
	if err := yaml.Unmarshal(text, target); err != nil {
		return fmt.Errorf("%s: %w", path, oneLine(text, err))
	}
	return nil
}

// DecodeAll reads every document of text strictly. Empty documents are left out.
func DecodeAll[T any](path string, text []byte) ([]T, error) {
	decoder := strictDecoder(text)
	var documents []T
	for {
		var document *T // stays nil where there is nothing, which a zero value could not tell
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, oneLine(text, err))
		}
		if document != nil {
			documents = append(documents, *document)
		}
	}
}

func strictDecoder(text []byte) *yaml.Decoder {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	return decoder
}

// oneLine folds the list of problems that the library reports about a text into a single line.
func oneLine(text []byte, err error) error {
	report := strings.TrimPrefix(err.Error(), "yaml: ")
	if isSyntax(err) {
		return errors.New(misspelt(text, report))
	}
	report = strings.TrimPrefix(report, "unmarshal errors:")
	problems := strings.FieldsFunc(report, func(r rune) bool { return r == '\n' })
	for i := range problems {
		problems[i] = withKey(text, strings.TrimSpace(problems[i]))
	}
	return errors.New(strings.Join(problems, "; "))
}
