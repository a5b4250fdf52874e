package localapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/allowlist"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/stream"
	"shieldwall/internal/wire"
)

// forEither lets machines through and, which is ours, bouncers: what enforces may know what must pass.
func (s *Server) forEither(next machineHandler) handler {
	asMachine := s.forMachine(next)
	asBouncer := s.forBouncer(func(w http.ResponseWriter, r *http.Request, _ domain.Bouncer) error { return next(w, r, "") })
	return func(w http.ResponseWriter, r *http.Request) error {
		certified := r.TLS != nil && len(r.TLS.PeerCertificates) > 0 && r.Header.Get("Authorization") == ""
		if certified || r.Header.Get("X-Api-Key") != "" {
			return asBouncer(w, r)
		}
		return asMachine(w, r)
	}
}

func (s *Server) listAllowlists(w http.ResponseWriter, r *http.Request, _ string) error {
	lists, err := s.store.Allowlists(r.Context(), s.now().UTC())
	if err != nil {
		return err
	}
	documents := make([]wire.Allowlist, len(lists)) // never null
	for i := range lists {
		documents[i] = allowlistDocument(r, &lists[i])
	}
	return writeJSON(w, http.StatusOK, documents)
}

func (s *Server) showAllowlist(w http.ResponseWriter, r *http.Request, _ string) error {
	return s.showAllowlistNamed(w, r, r.PathValue("allowlist_name"))
}

// showCheck answers for the allowlist whose name is that of another route.
func (s *Server) showCheck(w http.ResponseWriter, r *http.Request, _ string) error {
	return s.showAllowlistNamed(w, r, "check")
}

func (s *Server) showAllowlistNamed(w http.ResponseWriter, r *http.Request, name string) error {
	lists, err := s.store.Allowlists(r.Context(), s.now().UTC())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(lists, func(list domain.Allowlist) bool { return list.Name == name })
	if i < 0 {
		return fault.Errorf(fault.NotFound, "allowlist '%s' not found", name)
	}
	return writeJSON(w, http.StatusOK, allowlistDocument(r, &lists[i]))
}

func allowlistDocument(r *http.Request, list *domain.Allowlist) wire.Allowlist {
	if r.URL.Query().Get("with_content") != "true" {
		return wire.FromAllowlist(list, nil)
	}
	return wire.FromAllowlist(list, list.Items)
}

// checkAllowlists says whether one address or range is listed. A HEAD says it with the status alone.
func (s *Server) checkAllowlists(w http.ResponseWriter, r *http.Request, _ string) error {
	addresses, err := listable(r.PathValue("ip_or_range"))
	if err != nil {
		return err
	}
	matches := s.freshAllowlists(r.Context()).Concerning(addresses, s.now())
	if r.Method == http.MethodHead {
		w.WriteHeader(probeStatus(len(matches) > 0))
		return nil
	}
	return writeJSON(w, http.StatusOK, wire.AllowlistCheck{
		Allowlisted: len(matches) > 0, Reason: allowlist.Reasons(matches),
	})
}

func probeStatus(listed bool) int {
	if listed {
		return http.StatusOK
	}
	return http.StatusNoContent
}

func (s *Server) checkManyAllowlists(w http.ResponseWriter, r *http.Request, _ string) error {
	body, err := bodyOf(r, maxBody)
	if err != nil {
		return err
	}
	check, err := wire.DecodeBulkAllowlistCheck(body)
	if err != nil {
		return err
	}
	set, now := s.freshAllowlists(r.Context()), s.now()
	answer := wire.BulkAllowlistResults{Results: []wire.BulkAllowlistResult{}}
	for _, target := range check.Targets {
		addresses, err := listable(target)
		if err != nil {
			return err
		}
		if matches := set.Concerning(addresses, now); len(matches) > 0 {
			answer.Results = append(answer.Results, wire.BulkAllowlistResult{Allowlists: reasons(matches), Target: target})
		}
	}
	return writeJSON(w, http.StatusOK, answer)
}

func reasons(matches []allowlist.Match) []string {
	texts := make([]string, len(matches))
	for i, match := range matches {
		texts[i] = match.Reason()
	}
	return texts
}

func listable(text string) (domain.IPRange, error) {
	addresses, err := domain.ParseIPRange(text)
	if err != nil {
		return domain.IPRange{}, fault.Errorf(fault.Invalid, "invalid ip address '%s'", text)
	}
	return addresses, nil
}

// freshAllowlists returns what is listed now, whichever process has changed it, or what was listed last when
// the store cannot say.
func (s *Server) freshAllowlists(ctx context.Context) *allowlist.Set {
	if err := s.refreshAllowlists(ctx); err != nil {
		s.log.WarnContext(ctx, "allowlists not refreshed", "error", err)
	}
	return s.allowlists.Set()
}

func (s *Server) refreshAllowlists(ctx context.Context) error {
	added, err := s.allowlists.Refresh(ctx)
	if len(added) > 0 {
		s.endAllowlisted(ctx, added)
	}
	return err
}

// endAllowlisted ends the decisions of profiles about what was just listed. Who adds an item ends every
// decision that is stored by then; but this process may have judged an alert since without knowing of it.
// Decisions that came with their alert were made in spite of allowlists and stay.
func (s *Server) endAllowlisted(ctx context.Context, added []domain.AllowlistItem) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterCommit)
	defer cancel()
	s.catchUp(ctx)
	now := s.now().UTC()
	count, err := allowlist.End(ctx, s.store, s.judgedAbout(added, now), now)
	if err != nil {
		s.log.ErrorContext(ctx, "decisions about allowlisted addresses not ended", "error", err)
	}
	if count > 0 {
		s.log.InfoContext(ctx, "decisions about allowlisted addresses ended", "count", count)
		s.catchUp(ctx)
	}
}

// reconsider ends the decisions of profiles about what was listed between the judgement of their alerts, by what was
// listed then, and their commit: neither who has listed it nor endAllowlisted could find them. What is listed later they
// find.
func (s *Server) reconsider(ctx context.Context, alerts []domain.Alert, listed *allowlist.Set) {
	latest := s.allowlists.Set()
	if listed == nil || listed == latest {
		return
	}
	now := s.now().UTC()
	uuids := judgedUUIDs(alerts, func(addresses domain.IPRange) bool { return latest.Concerns(addresses, now) })
	if len(uuids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterCommit)
	defer cancel()
	count, err := s.store.ExpireDecisions(ctx, store.DecisionFilter{UUIDs: uuids}, now)
	if err != nil {
		s.log.ErrorContext(ctx, "decisions about allowlisted addresses not ended", "error", err)
		return
	}
	s.log.InfoContext(ctx, "decisions about allowlisted addresses ended", "count", count)
	s.catchUp(ctx)
}

// judgedUUIDs returns the UUIDs of the decisions of profiles about addresses that concern.
func judgedUUIDs(alerts []domain.Alert, concern func(domain.IPRange) bool) []string {
	var uuids []string
	for i := range alerts {
		for _, decision := range alerts[i].Decisions {
			addresses, err := domain.ParseIPRange(decision.Value)
			if err == nil && decision.Scope.IsAddress() && isOfProfile(decision.Origin) && concern(addresses) {
				uuids = append(uuids, decision.UUID)
			}
		}
	}
	return uuids
}

// judgedAbout returns the IDs of the decisions of profiles that items concern.
func (s *Server) judgedAbout(items []domain.AllowlistItem, now time.Time) []int64 {
	var ids []int64
	for _, item := range items {
		addresses, err := domain.ParseIPRange(item.Value)
		if err != nil {
			continue
		}
		for _, inside := range []bool{false, true} {
			filter := stream.Filter{Range: addresses, Inside: inside, IncludeSimulated: true}
			for _, record := range s.index.Query(filter, now) {
				if decision := record.Decision(); isOfProfile(decision.Origin) {
					ids = append(ids, decision.ID)
				}
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func isOfProfile(origin string) bool {
	return origin == profileOrigin || strings.HasPrefix(origin, profileOrigin+"/")
}

const profileOrigin = "crowdsec"

// allows reports whether the source of an alert is on an allowlist, so that nothing is to be done about it.
func (s *Server) allows(ctx context.Context, document *wire.Alert, listed *allowlist.Set) bool {
	if !isAboutSource(document) {
		return false
	}
	addresses, err := domain.ParseIPRange(document.GetValue())
	if err != nil {
		s.log.DebugContext(ctx, "source of an alert not looked up in allowlists", "scenario", document.Scenario, "error", err)
		return false
	}
	matches := listed.Concerning(addresses, s.now())
	if len(matches) == 0 {
		return false
	}
	s.log.InfoContext(ctx, "alert dropped, its source is on an allowlist",
		"scenario", document.Scenario, "source", document.GetValue(), "reason", allowlist.Reasons(matches))
	return true
}

// isAboutSource reports whether allowlists have a say: who sends decisions has made up their mind.
func isAboutSource(document *wire.Alert) bool {
	return len(document.Decisions) == 0 && domain.NormalizeScope(document.GetScope()).IsAddress()
}

// followAllowlists takes over what other processes change until ctx ends. That they cannot be read is said
// once.
func (s *Server) followAllowlists(ctx context.Context) error {
	ticker := time.NewTicker(s.followInterval())
	defer ticker.Stop()
	readable := true
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		err := s.refreshAllowlists(ctx)
		if err != nil && readable && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "allowlists cannot be read, the last ones stay in force", "error", err)
		}
		readable = err == nil
	}
}

func (s *Server) followInterval() time.Duration {
	if s.cfg.FollowInterval > 0 {
		return s.cfg.FollowInterval
	}
	return time.Second
}
