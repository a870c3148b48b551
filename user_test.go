package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestUpdateUser(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	for _, tt := range []struct {
		body        string
		status      int
		code        Code
		name, image any
	}{
		{`{"name":"Annie","image":"http://i"}`, 200, "", "Annie", "http://i"},
		{`{"image":null}`, 200, "", "Annie", nil},
		{`{"name":""}`, 200, "", "", nil},
		{`{"name":null}`, 400, ErrValidation, "", nil},
		{`{"name":5}`, 400, ErrValidation, "", nil},
		{`{"image":5}`, 400, ErrValidation, "", nil},
		{`{"email":"x@example.com","name":"X"}`, 400, ErrEmailCanNotBeUpdated, "", nil},
		{`{"email":"","name":"Y"}`, 200, "", "Y", nil},
		{`{"emailVerified":true}`, 400, "", "Y", nil},
		{`{}`, 400, "", "Y", nil},
		{`[]`, 400, ErrValidation, "Y", nil},
	} {
		r := ann.post("/update-user", tt.body).fails(t, tt.status, tt.code)
		if got := r.cookie("better-auth.session_token") != ""; got != (tt.status == 200) {
			t.Errorf("%s: cookies %v", tt.body, r.Header)
		}
		if s := ann.get("/get-session"); s.field(t, "user.name") != tt.name || s.field(t, "user.image") != tt.image {
			t.Errorf("%s: %s", tt.body, s.body)
		}
	}
	w.browser().post("/update-user", `{"name":"X"}`).fails(t, 401, ErrUnauthorized)
	if r := w.browser().post("/update-user", `[]`); r.field(t, "message") != "[body] Invalid input: expected record, received array" {
		t.Errorf("%s", r.body)
	}
}

func TestDeleteUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		w := newWorld(t, func(c *Config) {
			c.User.Delete.BeforeDelete = func(_ context.Context, u *User) error {
				log = append(log, "before "+u.Name)
				if u.Name == "kept" {
					return NewError(403, "KEPT", "Kept")
				}
				return nil
			}
			c.User.Delete.AfterDelete = func(_ context.Context, u *User) error { log = append(log, "after "+u.Name); return nil }
		})
		ann := w.as("ann")
		w.signIn("ann")
		time.Sleep(25 * time.Hour)
		ann.post("/delete-user", ``).fails(t, 400, ErrValidation)
		ann.post("/delete-user", `{}`).fails(t, 400, ErrSessionExpired)
		ann.post("/delete-user", `{"password":"wrong"}`).fails(t, 400, ErrInvalidPassword)
		r := ann.post("/delete-user", `{"password":"password of ann"}`).ok(t)
		if r.body != `{"success":true,"message":"User deleted"}` || len(ann.cookies) != 0 {
			t.Errorf("%s, cookies %v", r.body, ann.cookies)
		}
		for _, table := range []*Table{w.core.users.table, w.core.accounts.table, w.core.sessions.table} {
			if n := count(t, w, table); n != 0 {
				t.Errorf("%d rows in %s", n, table.Name)
			}
		}
		w.as("kept").post("/delete-user", `{}`).fails(t, 403, "KEPT")
		if got := strings.Join(log, ","); got != "before ann,after ann,before kept" || count(t, w, w.core.users.table) != 1 {
			t.Errorf("log %s", got)
		}
	})
	off := newWorld(t, func(c *Config) { c.User.Delete.Enabled = false })
	ann := off.as("ann")
	ann.post("/delete-user", `{}`).fails(t, 404, "")
	ann.get("/delete-user/callback?token=x").fails(t, 404, ErrNotFound)
	ann.get("/delete-user/callback?token=x&callbackURL=https://evil.example").fails(t, 403, ErrInvalidCallbackURL)
	off.browser().post("/delete-user", `{}`).fails(t, 401, ErrUnauthorized)
}

// TestDeleteTokenOfAKeptUser: whoever may not be deleted yet keeps the link.
func TestDeleteTokenOfAKeptUser(t *testing.T) {
	w := newWorld(t)
	w.core.deletion.SendVerification = w.core.verification.Send
	w.core.deletion.BeforeDelete = func(context.Context, *User) error { return NewError(403, "KEPT", "Kept") }
	ann := w.as("ann")
	ann.post("/delete-user", `{}`).ok(t)
	link := w.lastMail().URL
	ann.follow(link).fails(t, 403, "KEPT")
	w.core.deletion.BeforeDelete = nil
	if r := ann.follow(link); r.StatusCode != 302 || count(t, w, w.core.users.table) != 0 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestDeleteUserByMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.core.deletion.SendVerification = w.core.verification.Send
		ann, bob := w.as("ann"), w.as("bob")
		request := func() Mail {
			r := ann.post("/delete-user", `{"password":"password of ann","callbackURL":"/bye"}`).ok(t)
			if r.body != `{"success":true,"message":"Verification email sent"}` {
				t.Errorf("%s", r.body)
			}
			return w.lastMail()
		}
		mail := request()
		if mail.URL != testBase+"/delete-user/callback?token="+mail.Token+"&callbackURL=%2Fbye" || len(mail.Token) != 32 {
			t.Errorf("mail %+v", mail)
		}
		w.browser().follow(mail.URL).fails(t, 404, ErrFailedToGetUserInfo)
		bob.follow(mail.URL).fails(t, 404, ErrInvalidToken)
		ann.follow(mail.URL).fails(t, 404, ErrInvalidToken) // bob has burnt it
		mail = request()
		time.Sleep(24*time.Hour + time.Millisecond)
		ann.post("/delete-user", map[string]string{"token": mail.Token}).fails(t, 404, ErrInvalidToken)
		if r := ann.follow(request().URL); r.StatusCode != 302 || r.Header.Get("Location") != "/bye" || len(ann.cookies) != 0 {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
		if count(t, w, w.core.users.table) != 1 || !bob.signedIn() {
			t.Error("the wrong user was deleted")
		}
	})
}

func TestAccounts(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.as("ann"), w.as("bob")
	google := Account{
		ID: newID(), AccountID: "g1", ProviderID: "google", UserID: currentUser(t, ann),
		AccessToken: new("secret"), Scope: new("openid, email,,"), CreatedAt: now(), UpdatedAt: now(),
	}
	if err := w.core.accounts.create(t.Context(), &google); err != nil {
		t.Fatal(err)
	}
	r := ann.get("/list-accounts").ok(t)
	var list []map[string]any
	if err := json.Unmarshal([]byte(r.body), &list); err != nil || len(list) != 2 || strings.Contains(r.body, "secret") {
		t.Fatalf("%s, %v", r.body, err)
	}
	if got := fmt.Sprint(list[1]["scopes"], list[0]["scopes"], list[1]["providerId"]); got != "[openid email] []google" {
		t.Errorf("%s", got)
	}
	if keys := r.body[:strings.Index(r.body, ",")]; !strings.HasPrefix(keys, `[{"accountId":`) {
		t.Errorf("keys begin with %s", keys)
	}
	bob.post("/unlink-account", map[string]string{"accountId": google.ID}).fails(t, 400, ErrFailedToUnlinkLastAccount)
	ann.post("/unlink-account", `{"accountId":"unknown"}`).fails(t, 400, ErrAccountNotFound)
	ann.post("/unlink-account", `{"providerId":"google"}`).fails(t, 400, ErrValidation)
	ann.post("/unlink-account", map[string]string{"accountId": google.ID}).ok(t)
	ann.post("/unlink-account", map[string]any{"accountId": list[0]["id"]}).fails(t, 400, ErrFailedToUnlinkLastAccount)
}

// TestAccountKeepsItsSecrets: an account that is logged or encoded by mistake
// does not show them, even if it was made by hand.
func TestAccountKeepsItsSecrets(t *testing.T) {
	out, err := json.Marshal(&Account{ID: "1", Password: new("secret"), AccessToken: new("secret"), RefreshToken: new("secret"), IDToken: new("secret")})
	if err != nil || strings.Contains(string(out), "secret") || !strings.Contains(string(out), `"id":"1"`) {
		t.Errorf("%s, %v", out, err)
	}
}

// TestAfterUpdateSeesEmailChange: the condition of the update does not hold any
// more when the hook is to be called.
func TestAfterUpdateSeesEmailChange(t *testing.T) {
	var seen []string
	w := newWorld(t, func(c *Config) {
		c.DatabaseHooks.User.AfterUpdate = func(_ context.Context, u *User) { seen = append(seen, u.Email) }
	})
	ann := w.as("ann")
	ann.post("/change-email", map[string]any{"newEmail": "new@example.com"}).ok(t)
	ann.follow(w.lastMail().URL)
	if len(seen) != 1 {
		t.Errorf("AfterUpdate saw %q, want one change", seen)
	}
}

// TestKeptUserKeepsEverything: a hook that keeps a user from being deleted keeps
// the sessions and accounts too.
func TestKeptUserKeepsEverything(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.DatabaseHooks.User.BeforeDelete = func(context.Context, *User) error { return ErrAborted }
	})
	ann := w.as("ann")
	ann.post("/delete-user", `{"password":"password of ann"}`).fails(t, 400, ErrFailedToUpdateUser)
	if !ann.signedIn() {
		t.Error("the session is gone")
	}
	w.signIn("ann")
}

// TestFieldNamedExpiresAt: only sessions and verifications expire.
func TestFieldNamedExpiresAt(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.User.Fields = []Column{{Name: "expiresAt", Type: TypeDate, Optional: true}} })
	body := credentials("ann")
	body["expiresAt"] = "2001-01-01"
	w.browser().post("/sign-up/email", body).ok(t)
	for i := range 20 {
		w.as(fmt.Sprint("u", i))
	}
	w.signIn("ann")
}

// TestUnlinkingConcurrently: two requests cannot take the last two accounts.
func TestUnlinkingConcurrently(t *testing.T) {
	for range 20 {
		w := newWorld(t)
		ann := w.as("ann")
		if err := w.core.accounts.create(t.Context(), &Account{ID: "second", AccountID: "g", ProviderID: "google", UserID: currentUser(t, ann), CreatedAt: now(), UpdatedAt: now()}); err != nil {
			t.Fatal(err)
		}
		accounts, err := w.core.accountsOf(t.Context(), currentUser(t, ann))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 2)
		for _, a := range accounts {
			go func() {
				_, err := w.API.UnlinkAccount.Call(t.Context(), UnlinkAccountRequest{AccountID: a.ID}, WithHeaders(ann.headers()))
				done <- err
			}()
		}
		if a, b := <-done, <-done; (a == nil) == (b == nil) {
			t.Fatalf("outcomes %v and %v", a, b)
		}
	}
}

func TestAccountTokens(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.as("ann"), w.as("bob")
	accounts, err := w.core.accountsOf(t.Context(), currentUser(t, ann))
	if err != nil {
		t.Fatal(err)
	}
	id := accounts[0].ID
	for _, tt := range []struct {
		b          *browser
		path, body string
		status     int
		code       Code
		message    string
	}{
		{ann, "/get-access-token", `{"accountId":"` + id + `"}`, 400, ErrProviderNotSupported, "Provider credential is not supported."},
		{ann, "/refresh-token", `{"accountId":"` + id + `"}`, 400, ErrProviderNotSupported, "Provider credential is not supported."},
		{bob, "/get-access-token", `{"accountId":"` + id + `"}`, 400, ErrAccountNotFound, "Account not found"},
		{bob, "/get-access-token", `{"accountId":"` + id + `","userId":"` + currentUser(t, ann) + `"}`, 400, ErrAccountNotFound, "Account not found"},
		{ann, "/get-access-token", `{"useAccountCookie":true}`, 400, ErrAccountNotFound, "Account not found"},
		{ann, "/get-access-token", `{"useAccountCookie":false}`, 400, ErrValidation, "[body] Invalid input"},
		{ann, "/get-access-token", `{"accountId":"x","useAccountCookie":false}`, 400, ErrValidation, `[body] Unrecognized key: "useAccountCookie"`},
		{ann, "/get-access-token", `{"accountId":5,"useAccountCookie":true}`, 400, ErrValidation, `[body] Unrecognized key: "accountId"`},
		{ann, "/get-access-token", `{"accountId":"x","userId":5}`, 400, ErrValidation, "[body] Invalid input"},
		{ann, "/get-access-token", `{"accountId":"x","a\"b":1}`, 400, ErrValidation, `[body] Unrecognized key: "a"b"`},
		{ann, "/get-access-token", `{"accountId":"x","useAccountCookie":true}`, 400, ErrValidation, "[body] Invalid input"},
		{ann, "/get-access-token", `{"accountId":5}`, 400, ErrValidation, "[body] Invalid input"},
		{ann, "/get-access-token", `{}`, 400, ErrValidation, "[body] Invalid input"},
		{ann, "/get-access-token", `[]`, 400, ErrValidation, "[body] Invalid input"},
		{ann, "/get-access-token", `{"accountId":"x","providerId":"google"}`, 400, ErrValidation, `[body] Unrecognized key: "providerId"`},
		{ann, "/refresh-token", `{"accountId":"x","a":1,"b":2}`, 400, ErrValidation, `[body] Unrecognized keys: "a", "b"`},
	} {
		r := tt.b.post(tt.path, tt.body).fails(t, tt.status, tt.code)
		if got := r.field(t, "message"); got != tt.message {
			t.Errorf("%s: %q, want %q", tt.body, got, tt.message)
		}
	}
	ann.get("/account-info?accountId="+id).fails(t, 400, ErrProviderNotConfigured)
	ann.get("/account-info").fails(t, 400, ErrValidation)
	ann.get("/account-info?useAccountCookie=true").fails(t, 400, ErrValidation)
	strict := ann.get("/account-info?accountId="+id+"&b=1&a=2").fails(t, 400, ErrValidation)
	if got := strict.field(t, "message"); got != `[query] Unrecognized keys: "b", "a"` {
		t.Errorf("parameters that nobody knows: %q", got)
	}
	w.browser().get("/account-info?accountId="+id).fails(t, 401, "")

	_, err = w.API.GetAccessToken.Call(t.Context(), AccountRequest{AccountID: id})
	if !errors.Is(err, ErrUserIDOrSessionRequired) {
		t.Errorf("neither session nor user: %v", err)
	}
	_, err = w.API.GetAccessToken.Call(t.Context(), AccountRequest{AccountID: id, UserID: currentUser(t, ann)})
	if !errors.Is(err, ErrProviderNotSupported) {
		t.Errorf("Go code names the user: %v", err)
	}
}

func TestDatabaseHooks(t *testing.T) {
	var log []string
	note := func(format string, args ...any) { log = append(log, fmt.Sprintf(format, args...)) }
	w := newWorld(t, func(c *Config) {
		c.DatabaseHooks.User = EntityHooks[User]{
			BeforeCreate: func(_ context.Context, u *User) error { note("before create %s", u.Name); u.Name += "!"; return nil },
			AfterCreate:  func(_ context.Context, u *User) { note("after create %s", u.Name) },
			BeforeUpdate: func(_ context.Context, changes map[string]any) error {
				if changes["name"] == "refused" {
					return ErrAborted
				}
				note("before update %v", changes["name"])
				changes["name"] = fmt.Sprint(changes["name"], "?")
				return nil
			},
			AfterUpdate:  func(_ context.Context, u *User) { note("after update %s", u.Name) },
			BeforeDelete: func(_ context.Context, u *User) error { note("before delete %s", u.Name); return nil },
			AfterDelete:  func(_ context.Context, u *User) { note("after delete %s", u.Name) },
		}
		c.DatabaseHooks.Session.BeforeDelete = func(ctx context.Context, s *Session) error {
			if x := ExchangeFrom(ctx); x != nil && x.Operation().Name() == "revokeSessions" {
				return ErrAborted // keeps the row
			}
			return nil
		}
	})
	ann := w.as("ann")
	ann.post("/update-user", `{"name":"b"}`).ok(t)
	ann.post("/update-user", `{"name":"refused"}`).fails(t, 400, ErrFailedToUpdateUser)
	if r := ann.post("/revoke-sessions", "").ok(t); count(t, w, w.core.sessions.table) != 1 || r.cookie("better-auth.session_token") == "" {
		t.Error("a kept session is still said to be revoked, as in the original")
	}
	ann = w.signIn("ann")
	ann.post("/delete-user", `{"password":"password of ann"}`).ok(t)
	want := "before create ann, after create ann!, before update b, after update b?, before delete b?, after delete b?"
	if got := strings.Join(log, ", "); got != want {
		t.Errorf("log  %s\nwant %s", got, want)
	}
}

// TestAfterHooksSeeCommittedRows: a hook after an operation can use the store,
// in which the row is by then.
func TestAfterHooksSeeCommittedRows(t *testing.T) {
	var w *world
	found := false
	w = newWorld(t, func(c *Config) {
		c.DatabaseHooks.User.AfterCreate = func(ctx context.Context, u *User) {
			user, err := w.core.userByEmail(ctx, u.Email)
			found = err == nil && user != nil
			if _, err := w.core.updateUser(ctx, u.ID, map[string]any{"name": "from the hook"}); err != nil {
				t.Error(err)
			}
		}
	})
	if ann := w.as("ann"); !found || ann.get("/get-session").field(t, "user.name") != "from the hook" {
		t.Error("the hook could not work with the row")
	}
}

// TestLowerEmail: an address is lower case and never becomes one of ASCII letters
// that it was not.
func TestLowerEmail(t *testing.T) {
	for email, want := range map[string]string{
		"Ann@EXAMPLE.com":           "ann@example.com",
		"\u00c4NN@EX\u00c4MPLE.com": "\u00e4nn@ex\u00e4mple.com",
		"\u0130da@example.com":      "i\u0307da@example.com",
		"bo\u212a@example.com":      "bo\u212a@example.com",
		"\u017fam@example.com":      "\u017fam@example.com",
	} {
		if got := lowerEmail(email); got != want {
			t.Errorf("%+q: %+q, want %+q", email, got, want)
		}
	}
	for r := rune(utf8.RuneSelf); r <= unicode.MaxRune; r++ {
		if lower := lowerEmail(string(r)); lower[0] < utf8.RuneSelf && lower != "i\u0307" {
			t.Errorf("%U becomes %q", r, lower)
		}
	}
}
