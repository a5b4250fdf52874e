package storetest

import (
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
)

func createList(f *fixture, list domain.Allowlist) domain.Allowlist {
	f.t.Helper()
	created, err := f.CreateAllowlist(f.t.Context(), list)
	succeed(f.t, "creating allowlist "+list.Name, err)
	list.ID, list.CreatedAt, list.UpdatedAt = created.ID, f.clock.Now(), f.clock.Now()
	equal(f.t, "created list", created, list)
	return created
}

func addItems(f *fixture, name string, items ...domain.AllowlistItem) int {
	f.t.Helper()
	added, err := f.AddAllowlistItems(f.t.Context(), name, items)
	succeed(f.t, "adding to "+name, err)
	return added
}

func listsNow(f *fixture) []domain.Allowlist {
	f.t.Helper()
	lists, err := f.Allowlists(f.t.Context(), f.clock.Now())
	succeed(f.t, "reading allowlists", err)
	return lists
}

func allowlistRoundTrip(f *fixture) {
	office := createList(f, domain.Allowlist{Name: "office", Description: "our own — addresses"})
	console := createList(f, domain.Allowlist{Name: "console", ConsoleID: "c-1", FromConsole: true})
	equal(f.t, "empty lists, by name", listsNow(f), []domain.Allowlist{console, office})

	start := f.clock.Now()
	items := []domain.AllowlistItem{
		{Value: "203.0.113.7", Comment: "vpn"},
		{Value: "198.51.100.0/24", ExpiresAt: start.Add(time.Hour)},
		{Value: "2001:db8::/32"},
	}
	f.clock.advance(time.Second)
	equal(f.t, "added", addItems(f, "office", items...), 3)
	for i := range items {
		items[i].CreatedAt = f.clock.Now()
	}
	office.UpdatedAt, office.Items = f.clock.Now(), items
	equal(f.t, "lists", listsNow(f), []domain.Allowlist{console, office})

	f.clock.advance(time.Hour)
	office.Items = []domain.AllowlistItem{items[0], items[2]}
	equal(f.t, "lists after the end of an item", listsNow(f), []domain.Allowlist{console, office})
}

func allowlistExists(f *fixture) {
	first := createList(f, domain.Allowlist{Name: "twin", Description: "first"})
	_, err := f.CreateAllowlist(f.t.Context(), domain.Allowlist{Name: "twin"})
	equal(f.t, "kind of error", fault.KindOf(err), fault.Exists)
	equal(f.t, "text of error", err.Error(), "allowlist 'twin' already exists")
	other := createList(f, domain.Allowlist{Name: "TWIN"})
	equal(f.t, "lists", listsNow(f), []domain.Allowlist{other, first})
}

func allowlistMissing(f *fixture) {
	createList(f, domain.Allowlist{Name: "other"})
	_, adding := f.AddAllowlistItems(f.t.Context(), "ghost", []domain.AllowlistItem{{Value: "192.0.2.1"}})
	_, removing := f.RemoveAllowlistItems(f.t.Context(), "ghost", []string{"192.0.2.1"})
	for what, err := range map[string]error{
		"add": adding, "remove": removing, "delete": f.DeleteAllowlist(f.t.Context(), "ghost"),
	} {
		equal(f.t, "kind of error of "+what, fault.KindOf(err), fault.NotFound)
		equal(f.t, "text of error of "+what, err.Error(), "allowlist 'ghost' not found")
	}
}

func allowlistItemsOnce(f *fixture) {
	createList(f, domain.Allowlist{Name: "a"})
	createList(f, domain.Allowlist{Name: "b"})
	end := f.clock.Now().Add(time.Minute)
	equal(f.t, "added", addItems(f, "a", domain.AllowlistItem{Value: "192.0.2.1", Comment: "first"},
		domain.AllowlistItem{Value: "192.0.2.1", Comment: "second"}, domain.AllowlistItem{Value: "192.0.2.2", ExpiresAt: end}), 2)
	equal(f.t, "added again", addItems(f, "a", domain.AllowlistItem{Value: "192.0.2.1"}, domain.AllowlistItem{Value: "192.0.2.2"}), 0)
	equal(f.t, "added to another list", addItems(f, "b", domain.AllowlistItem{Value: "192.0.2.1"}), 1)
	equal(f.t, "added nothing", addItems(f, "b"), 0)

	f.clock.advance(time.Minute)
	equal(f.t, "added after the end", addItems(f, "a", domain.AllowlistItem{Value: "192.0.2.1"}, domain.AllowlistItem{Value: "192.0.2.2"}), 1)
	items := listsNow(f)[0].Items
	equal(f.t, "number of items", len(items), 2)
	equal(f.t, "item that was there", items[0].Comment, "first")
	equal(f.t, "item that came again", items[1], domain.AllowlistItem{Value: "192.0.2.2", CreatedAt: f.clock.Now()})
}

func allowlistInvalidItem(f *fixture) {
	createList(f, domain.Allowlist{Name: "a"})
	_, err := f.AddAllowlistItems(f.t.Context(), "a", []domain.AllowlistItem{{Value: "192.0.2.1"}, {Value: "office"}})
	equal(f.t, "kind of error", fault.KindOf(err), fault.Invalid)
	equal(f.t, "items", len(listsNow(f)[0].Items), 0)
}

func allowlistRemoval(f *fixture) {
	createList(f, domain.Allowlist{Name: "a"})
	createList(f, domain.Allowlist{Name: "b"})
	for _, name := range []string{"a", "b"} {
		addItems(f, name, domain.AllowlistItem{Value: "192.0.2.1"}, domain.AllowlistItem{Value: "192.0.2.0/24"}, domain.AllowlistItem{Value: "192.0.2.3"})
	}
	now := f.clock.advance(time.Second)
	removed, err := f.RemoveAllowlistItems(f.t.Context(), "a", []string{"192.0.2.1", "192.0.2.1", "192.0.2.3", "192.0.2.2"})
	succeed(f.t, "removing", err)
	equal(f.t, "removed", removed, 2)
	lists := listsNow(f)
	equal(f.t, "items left", len(lists[0].Items), 1)
	equal(f.t, "item left", lists[0].Items[0].Value, "192.0.2.0/24")
	equal(f.t, "time of the change", lists[0].UpdatedAt, now)
	equal(f.t, "items of the other list", len(lists[1].Items), 3)

	succeed(f.t, "deleting", f.DeleteAllowlist(f.t.Context(), "b"))
	equal(f.t, "lists left", listsNow(f), lists[:1])
	createList(f, domain.Allowlist{Name: "b"})
	equal(f.t, "items of a list that was made again", len(listsNow(f)[1].Items), 0)
}

func allowlistRevision(f *fixture) {
	last := revisionNow(f)
	createList(f, domain.Allowlist{Name: "a"})
	last = moved(f, "creating", last)
	addItems(f, "a", domain.AllowlistItem{Value: "192.0.2.1"})
	last = moved(f, "adding", last)
	_, err := f.RemoveAllowlistItems(f.t.Context(), "a", []string{"192.0.2.1"})
	succeed(f.t, "removing", err)
	last = moved(f, "removing", last)
	succeed(f.t, "deleting", f.DeleteAllowlist(f.t.Context(), "a"))
	last = moved(f, "deleting", last)
	equal(f.t, "revision after nothing", revisionNow(f), last)
}

func revisionNow(f *fixture) int64 {
	f.t.Helper()
	revision, err := f.AllowlistRevision(f.t.Context())
	succeed(f.t, "reading the revision", err)
	return revision
}

func moved(f *fixture, what string, last int64) int64 {
	f.t.Helper()
	revision := revisionNow(f)
	if revision <= last {
		f.t.Fatalf("revision after %s: %d, before %d", what, revision, last)
	}
	return revision
}
