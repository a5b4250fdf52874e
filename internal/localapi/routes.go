package localapi

import (
	"net/http"
	"strings"
)

// handler answers one request; an error is turned into an answer by the status table.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is a path with its methods, in the order in which Allow lists them.
type route struct {
	path    string
	methods []method
}

type method struct {
	name  string
	serve handler
}

const (
	healthPath = "/health"
	alertsPath = "/v1/alerts"
)

func (s *Server) table() []route {
	const get, head, post, del = http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete
	return []route{
		{healthPath, []method{{get, s.health}}},
		{"/v1/openapi.json", []method{{get, s.describe}}},
		{"/v1/watchers", []method{{post, s.register}}},
		{"/v1/watchers/login", []method{{post, s.login}}},
		{"/v1/watchers/self", []method{{del, s.forMachine(s.deleteSelf)}}},
		{"/v1/refresh_token", []method{{get, s.refreshToken}}},
		{"/v1/heartbeat", []method{{get, s.forMachine(s.heartbeat)}}},
		{alertsPath, []method{
			{post, s.forMachine(s.createAlerts)},
			{get, s.forMachine(s.listAlerts)},
			{head, s.forMachine(s.listAlerts)},
			{del, s.forMachine(s.fromTrustedAddress(s.deleteAlerts))},
		}},
		{"/v1/alerts/{alert_id}", []method{
			{get, s.forMachine(s.showAlert)},
			{head, s.forMachine(s.showAlert)},
			{del, s.forMachine(s.fromTrustedAddress(s.deleteAlert))},
		}},
		{"/v1/decisions", []method{
			{get, s.forBouncer(s.queryDecisions)},
			{head, s.forProbe(s.queryDecisions)},
			{del, s.forMachine(s.expireDecisions)},
		}},
		{"/v1/decisions/{decision_id}", []method{{del, s.forMachine(s.expireDecision)}}},
		{"/v1/decisions/{decision_id}/enforcement", []method{{get, s.forMachine(s.showEnforcement)}}},
		{"/v1/decisions/stream", []method{
			{get, s.forBouncer(s.streamDecisions)},
			{head, s.forProbe(s.probeStream)},
		}},
		{"/v1/allowlists", []method{{get, s.forEither(s.listAllowlists)}}},
		{"/v1/allowlists/{allowlist_name}", []method{{get, s.forMachine(s.showAllowlist)}}},
		{"/v1/allowlists/check", []method{
			{post, s.forMachine(s.checkManyAllowlists)},
			{get, s.forMachine(s.showCheck)},
		}},
		{"/v1/allowlists/check/{ip_or_range}", []method{
			{get, s.forMachine(s.checkAllowlists)},
			{head, s.forMachine(s.checkAllowlists)},
		}},
		{usagePath, []method{{post, s.takeUsage()}}},
		{"/v1/join", []method{{post, s.ifIssuing(s.join)}}},
		{"/v1/renew", []method{{post, s.ifIssuing(s.renew)}}},
	}
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, route := range s.table() {
		mux.HandleFunc(route.path, s.dispatch(route))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if target, ok := withoutSlash(mux, r); ok {
			http.Redirect(w, r, target, redirectStatus(r.Method)) //nolint:gosec // target is the path of a known route
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	return mux
}

func (s *Server) dispatch(route route) http.HandlerFunc {
	allow := make([]string, len(route.methods))
	for i, method := range route.methods {
		allow[i] = method.name
	}
	template := publishedTemplate(route.path)
	return func(w http.ResponseWriter, r *http.Request) {
		for _, method := range route.methods {
			if method.name == r.Method {
				x := exchangeOf(w)
				x.route = template
				if err := method.serve(w, r); err != nil {
					x.refuse(err)
				}
				return
			}
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// publishedTemplate spells a path as metrics do: "/v1/alerts/:alert_id".
func publishedTemplate(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// withoutSlash returns where a path that ends in one slash too many leads, if anywhere.
func withoutSlash(mux *http.ServeMux, r *http.Request) (string, bool) {
	if r.URL.Path == "/" || !strings.HasSuffix(r.URL.Path, "/") {
		return "", false
	}
	trimmed := *r.URL
	trimmed.Path = strings.TrimSuffix(trimmed.Path, "/")
	trimmed.RawPath = strings.TrimSuffix(trimmed.RawPath, "/")
	_, pattern := mux.Handler(&http.Request{Method: r.Method, URL: &trimmed, Host: r.Host})
	if pattern == "/" || pattern == "" {
		return "", false
	}
	return trimmed.RequestURI(), true
}

func redirectStatus(method string) int {
	if method == http.MethodGet {
		return http.StatusMovedPermanently
	}
	return http.StatusTemporaryRedirect
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	header.Set("Pragma", "no-cache")
	header.Set("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")
	return writeJSON(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"up"})
}
