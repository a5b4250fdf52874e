package expression

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/expr-lang/expr"
)

const lookupTimeout = 5 * time.Second

var errNoCTI = errors.New("cti is not configured")

func (l *Library) hostHelpers() []expr.Option {
	return []expr.Option{
		try1("CrowdsecCTI", func(string) (any, error) { return nil, errNoCTI }),
		try0("Hostname", func() (string, error) { return l.hostname() }),
		tryRest("LogInfo", l.logInfo),
		of1("LookupHost", l.lookUpHost),
	}
}

// logInfo is true so that it can be joined to a filter with "&&".
func (l *Library) logInfo(format string, args ...any) (bool, error) {
	l.log.Info("expression says", "text", fmt.Sprintf(format, args...))
	return true, nil
}

func (l *Library) lookUpHost(host string) []string {
	if l.resolver == nil {
		return []string{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	addresses, err := l.resolver.LookupHost(ctx, host)
	if err != nil || addresses == nil {
		return []string{}
	}
	return addresses
}
