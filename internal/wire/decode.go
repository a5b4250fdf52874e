package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// ValidationError lists what a well-formed document lacks or breaks, one published sentence each.
type ValidationError struct {
	Problems []string
}

// Error returns the published text: a headline and one line a problem.
func (e *ValidationError) Error() string {
	return "validation failure list:\n" + strings.Join(e.Problems, "\n")
}

// The bounds of a registration token, in characters.
const (
	minRegistrationToken = 32
	maxRegistrationToken = 255
)

// maxProblems bounds the answer to a body that is wrong all over.
const maxProblems = 100

// DecodeRegistration reads the body of POST /v1/watchers; errors are those of DecodeAlerts.
func DecodeRegistration(r io.Reader) (Registration, error) {
	var body struct {
		MachineID         *string `json:"machine_id"`
		Password          *string `json:"password"`
		RegistrationToken string  `json:"registration_token"`
	}
	if err := decodeJSON(r, &body); err != nil {
		return Registration{}, err
	}
	var check checker
	check.present("machine_id", body.MachineID != nil)
	check.present("password", body.Password != nil)
	check.length("registration_token", body.RegistrationToken)
	if err := check.err(); err != nil {
		return Registration{}, err
	}
	return Registration{
		MachineID: *body.MachineID, Password: *body.Password, RegistrationToken: body.RegistrationToken,
	}, nil
}

// DecodeLogin reads the body of POST /v1/watchers/login; errors are those of DecodeAlerts.
func DecodeLogin(r io.Reader) (Login, error) {
	var body struct {
		MachineID *string  `json:"machine_id"`
		Password  *string  `json:"password"`
		Scenarios []string `json:"scenarios"`
	}
	if err := decodeJSON(r, &body); err != nil {
		return Login{}, err
	}
	var check checker
	check.present("machine_id", body.MachineID != nil)
	check.present("password", body.Password != nil)
	if err := check.err(); err != nil {
		return Login{}, err
	}
	return Login{MachineID: *body.MachineID, Password: *body.Password, Scenarios: body.Scenarios}, nil
}

func decodeJSON(r io.Reader, target any) error {
	err := newDecoder(r).Decode(target)
	if err != nil {
		return invalid(err)
	}
	return nil
}

func newDecoder(r io.Reader) *json.Decoder { return json.NewDecoder(fullReader{&guard{r: r}}) }

// fullReader fills every buffer it is given. The decoder looks at all white space again after each read:
// with its doubling buffer that is linear, with the small reads of a connection it would be quadratic.
type fullReader struct {
	r io.Reader
}

// Read implements io.Reader.
func (f fullReader) Read(p []byte) (int, error) {
	n, err := io.ReadFull(f.r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
		return n, nil
	}
	return n, err
}

// checker collects problems in the order in which fields are looked at, which is alphabetical.
type checker struct {
	problems []string
}

func (c *checker) present(field string, present bool) {
	if !present {
		c.problems = append(c.problems, field+" in body is required")
	}
}

func (c *checker) length(field, token string) {
	switch length := utf8.RuneCountInString(token); {
	case length == 0:
	case length < minRegistrationToken:
		c.problems = append(c.problems, fmt.Sprintf("%s in body should be at least %d chars long", field, minRegistrationToken))
	case length > maxRegistrationToken:
		c.problems = append(c.problems, fmt.Sprintf("%s in body should be at most %d chars long", field, maxRegistrationToken))
	}
}

func (c *checker) err() error {
	if len(c.problems) == 0 {
		return nil
	}
	return &ValidationError{Problems: c.problems}
}
