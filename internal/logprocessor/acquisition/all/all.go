// Package all lists the data sources that this binary contains.
package all

import (
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/file"
	"shieldwall/internal/logprocessor/acquisition/journalctl"
)

// Registry returns every kind of data source.
func Registry() acquisition.Registry {
	return acquisition.Registry{
		file.Kind:       file.Factory{},
		journalctl.Kind: journalctl.Factory{},
	}
}
