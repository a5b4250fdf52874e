package localapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

// Receive is POST /v1/alerts for the log processor of the same process: no JSON is made, and everything else is the same.
// The token is that of a login, and what is counted, logged and refused is that of such a request. When it returns nil each
// alert is on disk, or was dropped for good. The alerts are only read, until it returns.
func (s *Server) Receive(ctx context.Context, token string, alerts []*wire.Alert) (err error) {
	began := time.Now()
	r := requestFromInside(ctx, token)
	x := &exchange{route: alertsPath, status: http.StatusCreated}
	defer func() {
		if failure := recover(); failure != nil {
			x.status = http.StatusInternalServerError
			s.survive(r, x, failure)
			err = fault.Errorf(fault.Internal, "panic while receiving alerts: %v", failure)
		}
		s.record(r, x, time.Since(began))
	}()
	receive := s.forMachine(func(_ http.ResponseWriter, r *http.Request, machineID string) error {
		documents, err := wire.Adopt(alerts, maxBody)
		if err != nil {
			return err
		}
		_, err = s.take(r, documents, machineID)
		return err
	})
	if x.err = receive(x, r); x.err != nil {
		x.status = statusOf(x.err)
		return fmt.Errorf("handing alerts to the Local API: %w", x.err)
	}
	return nil
}

// requestFromInside is what the access log, the journal and the metrics see of a call.
func requestFromInside(ctx context.Context, token string) *http.Request {
	r := &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: alertsPath}, Proto: "in-process", RemoteAddr: "127.0.0.1:0",
		Header: http.Header{"Authorization": {"Bearer " + token}},
	}
	return r.WithContext(ctx)
}
