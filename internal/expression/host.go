package expression

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const lookupTimeout = 5 * time.Second

var errNoCTI = errors.New("cti is not configured")

func (l *Library) hostHelpers() []helper {
	return []helper{
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

// lookUpHost yields none for a name that cannot be looked up, as published.
func (l *Library) lookUpHost(host string) []string {
	addresses, err := l.ask(Resolver.LookupHost, host)
	if err != nil || addresses == nil {
		return []string{}
	}
	return addresses
}

var errNoResolver = errors.New("names are not available to expressions")

func (l *Library) ask(look func(Resolver, context.Context, string) ([]string, error), text string) ([]string, error) {
	if l.resolver == nil {
		return nil, errNoResolver
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	return look(l.resolver, ctx, text)
}
