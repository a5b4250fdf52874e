package tlstest

import (
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"golang.org/x/crypto/ocsp"
)

// Responder answers OCSP requests on loopback until the test ends.
type Responder struct {
	URL string

	mu     sync.Mutex
	status map[string]int // by serial number; others are good
	silent bool
	asked  int
}

// Responder starts a responder that signs with the key of the authority, or, when signer is not nil, with a
// certificate that the authority has issued.
func (a *Authority) Responder(tb testing.TB, signer *Pair) *Responder {
	tb.Helper()
	r := &Responder{status: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.answer(w, request, a, signer)
	}))
	tb.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// Set decides what is said about a serial number: ocsp.Good, ocsp.Revoked or ocsp.Unknown.
func (r *Responder) Set(serial *big.Int, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status[serial.String()] = status
}

// Silence makes all answers errors, or ends that.
func (r *Responder) Silence(silent bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = silent
}

// Asked returns how many requests arrived.
func (r *Responder) Asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

func (r *Responder) answer(w http.ResponseWriter, request *http.Request, a *Authority, signer *Pair) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	text, err := io.ReadAll(request.Body)
	if err != nil || r.silent {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	question, err := ocsp.ParseRequest(text)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	template := ocsp.Response{
		Status: r.status[question.SerialNumber.String()], SerialNumber: question.SerialNumber,
		ThisUpdate: year(2020), NextUpdate: year(2100), RevokedAt: year(2021), IssuerHash: question.HashAlgorithm,
	}
	responder, key := a.Certificate, a.Key
	if signer != nil {
		responder, key, template.Certificate = signer.Certificate, signer.Key, signer.Certificate
	}
	answer, err := ocsp.CreateResponse(a.Certificate, responder, template, key)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(answer) // a client that left does not matter
}
