package clienttest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testnode"
)

// The promise: an unmodified client cannot tell the difference.
func TestOfficialClient(t *testing.T) {
	testnode.Require(t)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mails := &outbox{}
	mux.Handle("/api/auth/", newAuth(t, server.URL, mails))
	mux.Handle("/outbox", mails)
	drive(t, server.URL, server.URL+"/outbox")
}

// newAuth has everything switched on that the steps use. The rate limit is off:
// they sign in more often than a person does.
func newAuth(t *testing.T, origin string, mails *outbox) *auth.Auth {
	t.Helper()
	a, err := auth.New(auth.Config{
		BaseURL: origin,
		Secret:  "a secret for tests, 32 bytes long",
		Store:   auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{
			Enabled:           true,
			SendResetPassword: mails.send("reset"),
		},
		EmailVerification: auth.EmailVerification{Send: mails.send("verification")},
		User: auth.UserOptions{
			ChangeEmail: auth.ChangeEmail{Enabled: true, SendConfirmation: mails.send("confirmation")},
			Delete:      auth.DeleteUser{Enabled: true},
		},
		RateLimit: auth.RateLimit{Disabled: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// outbox keeps the mails of a server and shows them to the script.
type outbox struct {
	mu    sync.Mutex
	mails []mail
}

type mail struct {
	Kind  string `json:"kind"`
	To    string `json:"to"`
	URL   string `json:"url"`
	Token string `json:"token"`
}

func (o *outbox) send(kind string) func(context.Context, auth.Mail) error {
	return func(_ context.Context, m auth.Mail) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.mails = append(o.mails, mail{Kind: kind, To: m.User.Email, URL: m.URL, Token: m.Token})
		return nil
	}
}

func (o *outbox) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = json.NewEncoder(w).Encode(o.mails)
}
