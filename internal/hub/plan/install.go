package plan

import (
	"log/slog"

	"shieldwall/internal/hub"
)

// Options change what is planned.
type Options struct {
	Force        bool // also what is tainted, or belongs to something else
	DownloadOnly bool // install nothing
	Purge        bool // delete downloaded files, too
	All          bool // everything was asked for, nothing by its name
}

// Install plans to install items with all that they consist of, in their latest versions.
func Install(holdings *hub.Holdings, items []*hub.Holding, o Options) Plan {
	b := builder{holdings: holdings, options: o, seen: map[*hub.Holding]bool{}}
	for _, item := range items {
		b.install(item)
	}
	return b.plan
}

// Upgrade plans to bring installed items up to date, and then the data files of all that is installed.
func Upgrade(holdings *hub.Holdings, items []*hub.Holding, o Options) Plan {
	b := builder{holdings: holdings, options: o, seen: map[*hub.Holding]bool{}}
	for _, item := range items {
		switch {
		case item.Installed:
			b.install(item)
		default:
			b.plan.notice(slog.LevelWarn, "%s is not installed, so there is nothing to upgrade", item)
		}
	}
	b.plan.add(Refresh, nil)
	return b.plan
}

type builder struct {
	holdings *hub.Holdings
	options  Options
	seen     map[*hub.Holding]bool
	plan     Plan
}

func (b *builder) install(item *hub.Holding) {
	if b.seen[item] {
		return
	}
	b.seen[item] = true
	switch {
	case item.Local:
		if !b.options.All {
			b.plan.notice(slog.LevelInfo, "%s - not downloading local item", item)
		}
		return
	case item.Tainted && !b.options.Force:
		b.plan.notice(slog.LevelWarn, "%s is tainted, use '--force' to overwrite", item)
		return
	}
	b.parts(item)
	if !item.Current() {
		b.plan.add(Download, item)
	}
	if !item.Installed && !b.options.DownloadOnly {
		b.plan.add(Enable, item)
	}
}

// parts plans what the latest version of a collection consists of.
func (b *builder) parts(item *hub.Holding) {
	for _, need := range item.Offer.Needs {
		part := b.holdings.Find(need)
		switch {
		case part == nil:
			b.plan.notice(slog.LevelError, "%s needs %s, which the hub does not have", item, need)
		case !part.Local:
			b.install(part)
		}
	}
}
