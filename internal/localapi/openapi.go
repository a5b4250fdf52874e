package localapi

import (
	_ "embed" // the document is part of the program
	"encoding/json"
	"fmt"
	"net/http"

	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var openAPISource []byte

// encodeOpenAPI returns the description of this API as JSON.
func encodeOpenAPI() ([]byte, error) {
	var document any
	if err := yaml.Unmarshal(openAPISource, &document); err != nil {
		return nil, fmt.Errorf("reading the description of the API: %w", err)
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encoding the description of the API: %w", err)
	}
	return text, nil
}

func (s *Server) describe(w http.ResponseWriter, _ *http.Request) error {
	text, err := s.openAPI()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, err = w.Write(text)
	return err
}
