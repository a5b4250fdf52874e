package expression

import (
	"strings"
	"time"

	"github.com/beevik/etree"

	"shieldwall/internal/expression/cache"
)

const (
	documentsKept = 50
	documentTTL   = 5 * time.Second
)

// documents remembers parsed texts, because a parser asks one line for dozens of values. A nil document is
// a text that cannot be parsed. Documents are shared and never changed.
type documents struct {
	parsed *cache.Cache[string, *etree.Document]
}

func newDocuments(now func() time.Time) *documents {
	return &documents{parsed: cache.New[string, *etree.Document](cache.Options{
		Size: documentsKept, TTL: documentTTL, Now: now,
	})}
}

func (l *Library) xmlHelpers() []helper {
	return []helper{
		of3("XMLGetAttributeValue", func(text, path, attribute string) string {
			if element := l.documents.find(text, path); element != nil {
				return element.SelectAttrValue(attribute, "")
			}
			return ""
		}),
		of2("XMLGetNodeValue", func(text, path string) string {
			if element := l.documents.find(text, path); element != nil {
				return element.Text()
			}
			return ""
		}),
	}
}

// find returns the first element at path, nil without one.
func (d *documents) find(text, path string) *etree.Element {
	compiled, err := etree.CompilePath(path)
	if err != nil {
		return nil
	}
	document := d.parse(text)
	if document == nil {
		return nil
	}
	return document.FindElementPath(compiled)
}

func (d *documents) parse(text string) *etree.Document {
	if document, ok := d.parsed.Get(text); ok {
		return document
	}
	document := etree.NewDocument()
	if err := document.ReadFromString(text); err != nil {
		document = nil
	}
	d.parsed.Put(strings.Clone(text), document)
	return document
}
