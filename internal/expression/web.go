package expression

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	webTimeout  = 10 * time.Second
	webBodySize = 10 << 20
)

var errNoHTTP = errors.New("http is not available to expressions")

// HTTPResponse is what the HTTP helpers yield.
type HTTPResponse struct {
	StatusCode int
	Body       string // its first 10 MiB
	Headers    http.Header
}

func (l *Library) webHelpers() []helper {
	return []helper{
		try1("HTTPGet", func(url string) (*HTTPResponse, error) {
			return l.request(http.MethodGet, url, nil, "")
		}),
		try1("HTTPHead", func(url string) (*HTTPResponse, error) {
			return l.request(http.MethodHead, url, nil, "")
		}),
		try3("HTTPPost", func(url, contentType, body string) (*HTTPResponse, error) {
			return l.request(http.MethodPost, url, map[string]any{"Content-Type": contentType}, body)
		}),
		try4("HTTPRequest", l.request),
	}
}

func (l *Library) request(method, url string, headers map[string]any, body string) (*HTTPResponse, error) {
	if l.http == nil {
		return nil, errNoHTTP
	}
	ctx, cancel := context.WithTimeout(context.Background(), webTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range headers {
		request.Header.Set(name, fmt.Sprint(value))
	}
	response, err := l.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // what could be read has been read
	content, err := io.ReadAll(io.LimitReader(response.Body, webBodySize))
	if err != nil {
		return nil, fmt.Errorf("reading response of %s: %w", url, err)
	}
	return &HTTPResponse{StatusCode: response.StatusCode, Body: string(content), Headers: response.Header}, nil
}
