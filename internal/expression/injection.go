package expression

import (
	"github.com/corazawaf/libinjection-go"
)

func injectionHelpers() []helper {
	return []helper{
		of1("LibInjectionIsSQLI", func(text string) bool {
			found, _ := libinjection.IsSQLi(text)
			return found
		}),
		of1("LibInjectionIsXSS", libinjection.IsXSS),
	}
}
