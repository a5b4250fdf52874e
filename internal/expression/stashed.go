package expression

import (
	"time"
)

func (l *Library) stashHelpers() []helper {
	return []helper{
		of2("GetFromStash", l.getFromStash),
		do4("SetInStash", l.setInStash),
	}
}

func (l *Library) getFromStash(name, key string) string {
	value, ok := l.stash.Get(name, key)
	if !ok {
		l.reportNoStash(name)
	}
	return value
}

// setInStash takes the lifetime that the stash declares when ttl is nil.
func (l *Library) setInStash(name, key, value string, ttl *time.Duration) error {
	var known bool
	if ttl == nil {
		known = l.stash.Set(name, key, value)
	} else {
		known = l.stash.SetFor(name, key, value, *ttl)
	}
	if !known {
		l.reportNoStash(name)
	}
	return nil
}

func (l *Library) reportNoStash(name string) {
	l.log.Warn("stash is not declared", "stash", name)
}
