package conformancetest

import (
	"database/sql"
	"encoding/json"
	"testing"
	"time"
)

// A site is one of the two servers in the run of a case.
type site interface {
	// origin is where it is reached.
	origin() string

	// database is nil if it stores nothing.
	database() *sql.DB

	// call calls an endpoint directly.
	call(t testing.TB, endpoint string, input callInput) outcome

	// settle waits until it has nothing left to do.
	settle(t testing.TB) settled
}

// A callInput is what a direct call passes, in the original's words.
type callInput struct {
	Body          json.RawMessage   `json:"body,omitempty"`
	Query         json.RawMessage   `json:"query,omitempty"`
	Params        json.RawMessage   `json:"params,omitempty"`
	Headers       map[string]string `json:"headers,omitempty"`
	AsResponse    bool              `json:"asResponse,omitempty"`
	ReturnHeaders bool              `json:"returnHeaders,omitempty"`
	ReturnStatus  bool              `json:"returnStatus,omitempty"`
}

// An outcome is what came of a direct call.
type outcome struct {
	Value    json.RawMessage `json:"value"`
	Headers  [][2]string     `json:"headers"`
	Status   *int            `json:"status"`
	Response *response       `json:"response"`
	Thrown   *thrown         `json:"thrown"`
	Failure  string          `json:"failure"` // an error that clients are not told of
}

type response struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

type thrown struct {
	Status  int             `json:"status"`
	Body    json.RawMessage `json:"body"`
	Headers [][2]string     `json:"headers"`
}

// settled is what has happened beside the answers.
type settled struct {
	Events  []event `json:"events"`  // since the last time
	Storage []entry `json:"storage"` // all that is in the secondary storage
}

// An event is a mail or a call of another function of the configuration: what
// and its data.
type event map[string]any

// An entry is of the secondary storage. TTL is in seconds.
type entry struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	TTL   int    `json:"ttl"`
}

// same reports whether an entry has not changed: what a step takes is no change of
// its lifetime.
func (e entry) same(other entry) bool {
	return e.Key == other.Key && e.Value == other.Value && e.lifetime() == other.lifetime()
}

func (e entry) lifetime() string { return minutes(time.Duration(e.TTL) * time.Second) }
