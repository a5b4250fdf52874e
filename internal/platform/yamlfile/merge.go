package yamlfile

import (
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Merge lays patch over base: mappings are merged key by key, an explicit null and every other value
// replaces what was there. A mapping cannot replace, or be replaced by, a scalar or a list.
func Merge(base, patch []byte) ([]byte, error) {
	target, err := parse(base)
	if err != nil {
		return nil, err
	}
	overlay, err := parse(patch)
	if err != nil {
		return nil, err
	}
	switch {
	case isNull(content(overlay)):
		return base, nil
	case isNull(content(target)):
		return patch, nil
	}
	if err := mergeNode(content(target), content(overlay)); err != nil {
		return nil, err
	}
	return yaml.Marshal(target)
}

func parse(text []byte) (*yaml.Node, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil && !errors.Is(err, io.EOF) {
		return nil, oneLine(text, err)
	}
	return &node, nil
}

func content(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		return node.Content[0]
	}
	return node
}

func isNull(node *yaml.Node) bool {
	return node.IsZero() || node.Kind == yaml.DocumentNode || node.Tag == "!!null"
}

func mergeNode(target, overlay *yaml.Node) error {
	if overlay.Kind != yaml.MappingNode || target.Kind != yaml.MappingNode {
		return replaceNode(target, overlay)
	}
	for i := 0; i+1 < len(overlay.Content); i += 2 {
		key, value := overlay.Content[i], overlay.Content[i+1]
		existing := lookUp(target, key.Value)
		if existing == nil {
			target.Content = append(target.Content, key, value)
			continue
		}
		if err := mergeNode(existing, value); err != nil {
			return fmt.Errorf("%s: %w", key.Value, err)
		}
	}
	return nil
}

func replaceNode(target, overlay *yaml.Node) error {
	if !isNull(target) && !isNull(overlay) && target.Kind != overlay.Kind {
		return fmt.Errorf("line %d: can't merge a %s into a %s", overlay.Line, kindName(overlay), kindName(target))
	}
	*target = *overlay
	return nil
}

func lookUp(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func kindName(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "mapping"
	case yaml.SequenceNode:
		return "list"
	case yaml.ScalarNode, yaml.AliasNode, yaml.DocumentNode:
		return "scalar"
	}
	return "scalar"
}
