package conformancetest

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
)

// ours is an instance of this library.
type ours struct {
	*auth.Auth
	db      *sql.DB
	at      string
	storage *storage

	provider *provider // nil if the variant has none

	document *document

	mu           sync.Mutex
	events       []event
	undocumented []string // what the document does not say
}

// serveOurs starts one on a copy of the variant's empty database.
func serveOurs(t testing.TB, v *variant, p *provider, broken *sabotage) *ours {
	t.Helper()
	o := &ours{storage: &storage{}, provider: p}
	config := v.configuration(o)
	config.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	if v.stateless {
		config.Stateless = true
	} else {
		o.db = openDatabase(t, v.newDatabase(t))
		config.Store = auth.NewSQLStore(o.db, auth.SQLite, v.naming...)
	}
	broken.configure(&config)
	var err error
	if o.Auth, err = auth.New(config); err != nil {
		t.Fatalf("%s: %v", v.name, err)
	}
	o.document = v.documentOf(t, o.Auth, broken)
	server := httptest.NewServer(o.documented(broken.handler(o.Auth)))
	t.Cleanup(server.Close)
	o.at = server.URL
	return o
}

func (o *ours) origin() string    { return o.at }
func (o *ours) database() *sql.DB { return o.db }

// tell records an event: keys and values.
func (o *ours) tell(what string, data ...any) {
	e := event{"what": what}
	for i := 0; i+1 < len(data); i += 2 {
		e[data[i].(string)] = data[i+1]
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

func (o *ours) settle(testing.TB) settled {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := settled{Events: o.events, Storage: o.storage.all()}
	o.events = nil
	return s
}

func (o *ours) call(t testing.TB, endpoint string, input callInput) outcome {
	t.Helper()
	operation := o.API.Operation(endpoint)
	if operation == nil {
		t.Fatalf("no operation is called %s", endpoint)
	}
	out := o.callJSON(t, operation, input)
	for _, finding := range o.document.outcomeFindings(operation, input, out) {
		o.found(finding)
	}
	return out
}

func (o *ours) callJSON(t testing.TB, operation auth.Operation, input callInput) (out outcome) {
	t.Helper()
	var header http.Header
	var status int
	var live *http.Response
	var options []auth.CallOption
	if input.Headers != nil {
		sent := make(http.Header)
		for name, value := range input.Headers {
			sent.Set(name, value)
		}
		options = append(options, auth.WithHeaders(sent))
	}
	if input.AsResponse {
		options = append(options, auth.AsResponse(&live))
	}
	if input.ReturnHeaders {
		options = append(options, auth.ReturnHeaders(&header))
	}
	if input.ReturnStatus {
		options = append(options, auth.ReturnStatus(&status))
	}
	value, err := operation.CallJSON(t.Context(), input.flat(), options...)
	if err != nil { // with asResponse an internal one
		return failed(t, err)
	}
	if live != nil {
		return outcome{Response: recorded(t, live)}
	}
	out = outcome{Value: value, Headers: pairs(header)}
	if input.ReturnStatus {
		out.Status = &status
	}
	return out
}

// flat puts the parts of an input together, as CallJSON wants them. Their members
// stay in order.
func (c callInput) flat() []byte {
	var members []string
	for _, part := range []json.RawMessage{c.Params, c.Query, c.Body} {
		text := strings.TrimSpace(string(part))
		switch {
		case text == "":
		case text[0] != '{':
			return part // no object: the body is to fail as a whole
		default:
			if inner := strings.TrimSpace(text[1 : len(text)-1]); inner != "" {
				members = append(members, inner)
			}
		}
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

func recorded(t testing.TB, r *http.Response) *response {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &response{Status: r.StatusCode, Headers: pairs(r.Header), Body: string(body)}
}

func failed(t testing.TB, err error) outcome {
	t.Helper()
	var e *auth.APIError
	if !errors.As(err, &e) {
		return outcome{Failure: err.Error()}
	}
	out := &thrown{Status: e.Status, Headers: pairs(e.Header)}
	if e.Message != "" || e.Code != "" {
		body := new(bytes.Buffer)
		encoder := json.NewEncoder(body)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(e); err != nil {
			t.Fatal(err)
		}
		out.Body = bytes.TrimSpace(body.Bytes())
	}
	return outcome{Thrown: out}
}

// pairs lists headers in the way of JavaScript: small letters, sorted, one line a
// cookie.
func pairs(h http.Header) (list [][2]string) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if name == "Set-Cookie" {
			for _, cookie := range h[name] {
				list = append(list, [2]string{"set-cookie", cookie})
			}
			continue
		}
		list = append(list, [2]string{strings.ToLower(name), strings.Join(h[name], ", ")})
	}
	return list
}
