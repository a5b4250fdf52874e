package localapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/wire"
)

func (s *Server) register(w http.ResponseWriter, r *http.Request) error {
	address := s.clientAddress(r)
	if s.cfg.DisableRemoteRegistration && !address.IsLoopback() {
		return fault.Errorf(fault.Forbidden, "access forbidden")
	}
	body, err := bodyOf(r, maxAnonymousBody)
	if err != nil {
		return err
	}
	registration, err := wire.DecodeRegistration(body)
	if err != nil {
		return err
	}
	validated, err := s.machines.Register(r.Context(), auth.Registration{
		ID: registration.MachineID, Password: registration.Password, Token: registration.RegistrationToken, Address: address,
	})
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if validated {
		status = http.StatusAccepted
	}
	w.WriteHeader(status)
	return nil
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	login, err := loginOf(r)
	if err != nil {
		return err
	}
	id, err := s.machines.Login(r.Context(), auth.Credentials{
		ID: login.MachineID, Password: login.Password, TLS: r.TLS, Scenarios: login.Scenarios,
		UserAgent: r.UserAgent(), Address: s.clientAddress(r),
	})
	if err != nil {
		return err
	}
	return s.writeToken(w, id)
}

// loginOf reads the body of a login. With a client certificate only its scenarios are of interest.
func loginOf(r *http.Request) (wire.Login, error) {
	body, err := bodyOf(r, maxAnonymousBody)
	if err != nil {
		return wire.Login{}, unauthorizedBody(err)
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		login, err := wire.DecodeLogin(body)
		return login, unauthorizedBody(err)
	}
	var login wire.Login
	if err := json.NewDecoder(body).Decode(&login); err != nil {
		return wire.Login{}, fault.Errorf(fault.Unauthorized, "missing scenarios list in login request for TLS auth: %w", err)
	}
	return login, nil
}

// unauthorizedBody is the published answer to a login that cannot be read: 401, whatever is wrong with it.
func unauthorizedBody(err error) error {
	var (
		incomplete *wire.ValidationError
		tooLarge   *http.MaxBytesError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &incomplete):
		return fault.Errorf(fault.Unauthorized, "%s", incomplete.Error())
	case errors.As(err, &tooLarge):
		return fault.Errorf(fault.Unauthorized, "%s", tooLarge.Error())
	}
	return fault.Errorf(fault.Unauthorized, "missing: %s", err.Error())
}

func (s *Server) refreshToken(w http.ResponseWriter, r *http.Request) error {
	id, err := s.tokens.VerifyForRefresh(bearer(r))
	if err != nil {
		return err
	}
	if err := s.machines.Check(r.Context(), id, r.TLS); err != nil {
		return err
	}
	return s.writeToken(w, id)
}

func (s *Server) writeToken(w http.ResponseWriter, machineID string) error {
	token, expires, err := s.tokens.Issue(machineID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, wire.Token{Code: http.StatusOK, Expire: expires, Token: token})
}

func (s *Server) deleteSelf(w http.ResponseWriter, r *http.Request, machineID string) error {
	if err := s.store.DeleteMachine(r.Context(), machineID); err != nil {
		return err
	}
	s.noteMachine(r, machineID, "machine.delete", machineID, 1)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) heartbeat(w http.ResponseWriter, _ *http.Request, machineID string) error {
	now := s.now()
	s.presence.NoteMachine(machineID, store.MachineChange{LastHeartbeat: &now})
	w.WriteHeader(http.StatusOK)
	return nil
}
