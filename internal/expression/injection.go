package expression

import (
	"github.com/corazawaf/libinjection-go"
	"github.com/expr-lang/expr"
)

func injectionHelpers() []expr.Option {
	return []expr.Option{
		of1("LibInjectionIsSQLI", func(text string) bool {
			found, _ := libinjection.IsSQLi(text)
			return found
		}),
		of1("LibInjectionIsXSS", libinjection.IsXSS),
	}
}
