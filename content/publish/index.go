package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"shieldwall/internal/hub"
)

const author = "shieldwall"

// index is the published form of a hub's index: per kind, the items by name.
type index map[hub.Kind]map[string]entry

type entry struct {
	Path        string             `json:"path"`
	Stage       string             `json:"stage,omitempty"`
	Version     string             `json:"version"`
	Versions    map[string]version `json:"versions"`
	Author      string             `json:"author"`
	Description string             `json:"description"`
	Labels      map[string]any     `json:"labels,omitempty"`
	References  []string           `json:"references,omitempty"`
	Parsers     []string           `json:"parsers,omitempty"`
	Scenarios   []string           `json:"scenarios,omitempty"`
	Collections []string           `json:"collections,omitempty"`
}

type version struct {
	Digest     string `json:"digest"`
	Deprecated bool   `json:"deprecated"`
}

// kinds are those of which we have items.
func kinds() []hub.Kind { return []hub.Kind{hub.Parsers, hub.Scenarios, hub.Collections} }

// currentIndex returns the text of an index that knows every item as it is, and every version that the index on disk knows.
func currentIndex(root string) ([]byte, error) {
	published, err := readIndex(filepath.Join(root, indexFile))
	if err != nil {
		return nil, err
	}
	current := index{hub.Postoverflows: {}, hub.Contexts: {}, hub.AppsecConfigs: {}, hub.AppsecRules: {}}
	for _, kind := range kinds() {
		items, err := readItems(root, kind)
		if err != nil {
			return nil, err
		}
		current[kind] = map[string]entry{}
		for name, it := range items {
			current[kind][name] = it.entry(published[kind][name])
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(current); err != nil {
		return nil, fmt.Errorf("encoding the index: %w", err)
	}
	return text.Bytes(), nil
}

func readIndex(path string) (index, error) {
	text, err := os.ReadFile(path) //nolint:gosec // part of the sources
	if errors.Is(err, fs.ErrNotExist) {
		return index{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	var published index
	if err := json.Unmarshal(text, &published); err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	return published, nil
}

// entry returns what the index says of the item, given what it said before.
func (it *item) entry(before entry) entry {
	now := entry{
		Path: it.Path, Stage: it.Stage, Version: before.Version, Versions: map[string]version{}, Author: author,
		Description: it.Description, Labels: it.Labels, References: it.References,
		Parsers: it.Parsers, Scenarios: it.Scenarios, Collections: it.Collections,
	}
	for number, known := range before.Versions {
		now.Versions[number] = known
	}
	if now.Versions[now.Version].Digest != it.Digest {
		now.Version = following(before.Version)
		now.Versions[now.Version] = version{Digest: it.Digest}
	}
	return now
}

// following returns the version after one of the form 0.N, and the first for "".
func following(number string) string {
	minor, _ := strconv.Atoi(strings.TrimPrefix(number, "0."))
	return "0." + strconv.Itoa(minor+1)
}
