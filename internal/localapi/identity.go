package localapi

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/auth"
)

type (
	// machineHandler answers a request of the machine with the ID.
	machineHandler func(w http.ResponseWriter, r *http.Request, machineID string) error
	// bouncerHandler answers a request of a bouncer.
	bouncerHandler func(w http.ResponseWriter, r *http.Request, bouncer domain.Bouncer) error
)

// openAuth opens the files of TLS, if it is on, and makes what decides who gets in.
func (s *Server) openAuth(cfg Config, deps Deps) (err error) {
	var agents, bouncers *auth.Certificates
	if cfg.TLS != nil {
		if s.secrecy, err = openTLS(*cfg.TLS, deps); err != nil {
			return err
		}
		if agents, err = s.secrecy.certificates(auth.SideAgent, *cfg.TLS, deps); err != nil {
			return err
		}
		if bouncers, err = s.secrecy.certificates(auth.SideBouncer, *cfg.TLS, deps); err != nil {
			return err
		}
	}
	if deps.Authority != nil {
		newcomers, err := auth.NewNewcomers(deps.Now)
		if err != nil {
			return err
		}
		s.issuance = &issuance{authority: deps.Authority, newcomers: newcomers, sides: []*auth.Certificates{agents, bouncers}}
	}
	if s.tokens, err = auth.NewTokens(cfg.Secret, deps.Now); err != nil {
		return err
	}
	known := newcomers{Store: deps.Store, journal: s.journal}
	s.machines, err = auth.NewMachines(known, auth.MachineOptions{
		Certificates: agents, AutoRegistration: cfg.AutoRegistration, Log: deps.Log, Now: deps.Now,
	})
	if err != nil {
		return err
	}
	s.bouncers, err = auth.NewBouncers(known, auth.BouncerOptions{
		Certificates: bouncers, Presence: s.presence, Log: deps.Log, Now: deps.Now,
	})
	if err != nil {
		return err
	}
	s.complaints, err = auth.NewThrottle()
	return err
}

// forMachine lets machines with a good token through.
func (s *Server) forMachine(next machineHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := s.tokens.Verify(bearer(r))
		if err != nil {
			return err
		}
		if err := s.machines.Check(r.Context(), id, r.TLS); err != nil {
			return err
		}
		x := exchangeOf(w)
		x.caller = slog.String("machine", id)
		s.metrics.machine(id, x.route, r.Method)
		return next(w, r, id)
	}
}

// forBouncer lets bouncers with a known key or a good certificate through.
func (s *Server) forBouncer(next bouncerHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		bouncer, err := s.bouncers.Authenticate(r.Context(), s.callerOf(r))
		if err != nil {
			return err
		}
		return s.asBouncer(next, w, r, bouncer)
	}
}

func (s *Server) callerOf(r *http.Request) auth.Caller {
	return auth.Caller{Key: r.Header.Get("X-Api-Key"), TLS: r.TLS, Address: s.clientAddress(r), UserAgent: r.UserAgent()}
}

// recertify refuses a bouncer whose certificate is not good any more, when it was let in a while ago.
func (s *Server) recertify(r *http.Request) error {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	_, err := s.bouncers.Probe(r.Context(), s.callerOf(r))
	return err
}

// forProbe is forBouncer for requests that only try the key or certificate and leave no trace of the bouncer.
func (s *Server) forProbe(next bouncerHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		bouncer, err := s.bouncers.Probe(r.Context(), s.callerOf(r))
		if err != nil {
			return err
		}
		return s.asBouncer(next, w, r, bouncer)
	}
}

func (s *Server) asBouncer(next bouncerHandler, w http.ResponseWriter, r *http.Request, bouncer domain.Bouncer) error {
	x := exchangeOf(w)
	x.caller = slog.String("bouncer", bouncer.Name)
	s.metrics.bouncer(bouncer.Name, x.route, r.Method)
	return next(w, r, bouncer)
}

// fromTrustedAddress lets only administrators' addresses through.
func (s *Server) fromTrustedAddress(next machineHandler) machineHandler {
	return func(w http.ResponseWriter, r *http.Request, machineID string) error {
		address := s.clientAddress(r)
		if !address.IsLoopback() && !contains(s.cfg.TrustedIPs, address) {
			return fault.Errorf(fault.Forbidden, "access forbidden from this IP (%s)", address)
		}
		return next(w, r, machineID)
	}
}

// bearer returns the token of a request: from the header, else from the cookie, else "".
func bearer(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && token != "" {
		return token
	}
	if cookie, err := r.Cookie("jwt"); err == nil {
		return cookie.Value
	}
	return ""
}

// clientAddress returns who sent the request: the peer, or what trusted proxies say. A peer on the Unix
// socket is the local host.
func (s *Server) clientAddress(r *http.Request) netip.Addr {
	peer := peerAddress(r)
	if !contains(s.proxies, peer) {
		return peer
	}
	for _, header := range []string{"X-Forwarded-For", "X-Real-Ip"} {
		if address, ok := s.forwardedFor(r.Header.Values(header)); ok {
			return address
		}
	}
	return peer
}

func peerAddress(r *http.Request) netip.Addr {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}

// forwardedFor returns the last address of the list that is no trusted proxy, or the first one if all are.
func (s *Server) forwardedFor(values []string) (netip.Addr, bool) {
	list := strings.Split(strings.Join(values, ","), ",")
	for i := len(list) - 1; i >= 0; i-- {
		address, err := netip.ParseAddr(strings.TrimSpace(list[i]))
		if err != nil {
			return netip.Addr{}, false
		}
		address = address.Unmap().WithZone("")
		if i == 0 || !contains(s.proxies, address) {
			return address, true
		}
	}
	return netip.Addr{}, false
}

func contains(prefixes []netip.Prefix, address netip.Addr) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
