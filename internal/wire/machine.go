package wire

import "time"

// Registration is the body of POST /v1/watchers.
type Registration struct {
	MachineID         string `json:"machine_id"`
	Password          string `json:"password"`
	RegistrationToken string `json:"registration_token,omitempty"`
}

// Login is the body of POST /v1/watchers/login.
type Login struct {
	MachineID string   `json:"machine_id"`
	Password  string   `json:"password"`
	Scenarios []string `json:"scenarios"`
}

// Token is the answer to a login.
type Token struct {
	Code   int       `json:"code"`
	Expire time.Time `json:"expire"`
	Token  string    `json:"token"`
}

// Message is the body of an error answer. Code is present only in answers of the token check.
type Message struct {
	Code    int    `json:"code,omitempty"`
	Message string `json:"message"`
}

// Deleted is the answer to a deletion: a count in decimal text.
type Deleted struct {
	NbDeleted string `json:"nbDeleted"`
}
