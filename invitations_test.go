package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3b05b409/auth"
)

// newInvited is an instance with the plugin of the examples. A letter is a code by
// address.
func newInvited(t *testing.T, edit ...func(*auth.Config)) (a *auth.Auth, p *Invitations, letters map[string]string) {
	t.Helper()
	letters = make(map[string]string)
	p = &Invitations{Send: func(_ context.Context, email, code string) error {
		letters[email] = code
		return nil
	}}
	config := auth.Config{
		BaseURL: "https://example.com", Secret: "a secret of at least 32 characters", Store: auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true}, Plugins: []auth.Plugin{p},
		Passwords: auth.Passwords{Hasher: noHash{}},
	}
	for _, e := range edit {
		e(&config)
	}
	a, err := auth.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return a, p, letters
}

// noHash keeps sign-ups fast.
type noHash struct{}

func (noHash) Hash(_ context.Context, password string) (string, error) { return password, nil }

func (noHash) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == password, nil
}

func invited(t *testing.T, p *Invitations, email string) string {
	t.Helper()
	out, err := p.Grant.Call(t.Context(), InviteRequest{Email: email})
	if err != nil {
		t.Fatal(err)
	}
	return out.Code
}

func join(ctx context.Context, a *auth.Auth, email, code string) error {
	_, err := a.API.SignUpEmail.Call(ctx, auth.SignUpEmailRequest{
		Name: "x", Email: email, Password: "correct horse", Fields: map[string]any{"invitation": code},
	})
	return err
}

// TestInvitationIsRedeemedOnce: of many sign-ups with one code one succeeds.
func TestInvitationIsRedeemedOnce(t *testing.T) {
	a, p, _ := newInvited(t)
	code := invited(t, p, "Ann@Example.com")
	var wg sync.WaitGroup
	var winners atomic.Int32
	for range 20 {
		wg.Go(func() {
			if join(t.Context(), a, "ann@example.com", code) == nil {
				winners.Add(1)
			}
		})
	}
	wg.Wait()
	if winners.Load() != 1 {
		t.Errorf("%d sign-ups succeed", winners.Load())
	}
}

// TestInvitationOutlivesAFailure: a sign-up that fails leaves it as it was, and
// nobody else can use it.
func TestInvitationOutlivesAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := true
		a, p, _ := newInvited(t, func(c *auth.Config) {
			c.DatabaseHooks.Account.BeforeCreate = func(context.Context, *auth.Account) error {
				if fail {
					return errors.New("the account cannot be stored")
				}
				return nil
			}
		})
		code, late := invited(t, p, "ann@example.com"), invited(t, p, "bob@example.com")
		if err := join(t.Context(), a, "ann@example.com", code); err == nil {
			t.Error("nothing fails")
		}
		fail = false
		if err := join(t.Context(), a, "eve@example.com", code); !errors.Is(err, ErrNotInvited) {
			t.Errorf("somebody else: %v", err)
		}
		if err := join(t.Context(), a, "ann@example.com", code); err != nil {
			t.Errorf("after a failure: %v", err)
		}
		time.Sleep(8 * 24 * time.Hour)
		if err := join(t.Context(), a, "bob@example.com", late); !errors.Is(err, ErrNotInvited) {
			t.Errorf("too late: %v", err)
		}
	})
}

// TestInvitationsOverHTTP: the plugin's endpoint has its checks and its limit.
func TestInvitationsOverHTTP(t *testing.T) {
	a, p, letters := newInvited(t)
	send := func(path, body, cookies string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/api/auth"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", "https://example.com")
		r.Header.Set("Cookie", cookies)
		rec := httptest.NewRecorder()
		a.ServeHTTP(rec, r)
		return rec
	}
	if rec := send("/sign-up/email", `{"name":"Ann","email":"ann@example.com","password":"correct horse"}`, ""); rec.Code != http.StatusForbidden || rec.Body.String() != `{"message":"Only with an invitation","code":"NOT_INVITED"}` {
		t.Errorf("sign-up without an invitation: %d %s", rec.Code, rec.Body)
	}
	code := invited(t, p, "ann@example.com")
	rec := send("/sign-up/email", `{"name":"Ann","email":"ann@example.com","password":"correct horse","invitation":"`+code+`","invitedBy":""}`, "")
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"invitedBy":null`) {
		t.Fatalf("sign-up: %d %s", rec.Code, rec.Body)
	}
	cookie, _, _ := strings.Cut(rec.Header().Get("Set-Cookie"), ";")
	for _, test := range []struct {
		body, cookies string
		status        int
	}{
		{`{"email":"bob@example.com"}`, "", 401},
		{`{"email":"bob"}`, "", 400},
		{`{"email":"bob@example.com"}`, cookie, 200},
		{`{"email":"bob@example.com"}`, cookie, 200},
		{`{"email":"bob@example.com"}`, cookie, 200},
		{`{"email":"bob@example.com"}`, cookie, 429},
	} {
		if rec := send("/invitations", test.body, test.cookies); rec.Code != test.status {
			t.Errorf("%s: %d %s", test.body, rec.Code, rec.Body)
		}
	}
	if letters["bob@example.com"] == "" {
		t.Error("no letter")
	}
	if rec := send("/grant-invitation", `{"email":"eve@example.com"}`, cookie); rec.Code != http.StatusNotFound {
		t.Errorf("a server-only endpoint answers %d", rec.Code)
	}
}
