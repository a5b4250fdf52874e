package localapiclient

import (
	"net/url"
	"strings"
	"time"
)

// params collects query parameters; those without a value are left out.
type params url.Values

func (p params) text(key, value string) {
	if value != "" {
		url.Values(p).Set(key, value)
	}
}

func (p params) list(key string, values []string) { p.text(key, strings.Join(values, ",")) }

func (p params) duration(key string, value time.Duration) {
	if value != 0 {
		p.text(key, value.String())
	}
}

// flag adds key=value when on.
func (p params) flag(on bool, key, value string) {
	if on {
		p.text(key, value)
	}
}
