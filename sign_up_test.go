package auth

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestSignUp(t *testing.T) {
	w := newWorld(t)
	r := w.browser().post("/sign-up/email", `{"name":"","email":"Ann@Example.com","password":"password","image":"http://i/x.png","emailVerified":true,"id":"mine","role":"admin"}`).ok(t)
	form := regexp.MustCompile(`^\{"token":"\w{32}","user":\{"name":"","email":"ann@example\.com","emailVerified":false,"image":"http://i/x\.png","createdAt":"[^"]{24}","updatedAt":"[^"]{24}","id":"\w{32}"\}\}$`)
	if !form.MatchString(r.body) {
		t.Errorf("body %s", r.body)
	}
	if c := r.cookie("better-auth.session_token"); !strings.HasSuffix(c, "; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax") {
		t.Errorf("cookie %q", c)
	}
	if r.field(t, "user.id") == "mine" {
		t.Error("a client chose its id")
	}
}

func TestSignUpRefusals(t *testing.T) {
	w := newWorld(t)
	w.as("ann")
	disabled := newWorld(t, func(c *Config) { c.EmailPassword.DisableSignUp = true })
	off := newWorld(t, func(c *Config) { c.EmailPassword.Enabled = false })
	for _, tt := range []struct {
		w      *world
		body   string
		status int
		code   Code
		reason string
	}{
		{w, `{"name":"A","email":"ANN@example.com","password":"password"}`, 422, ErrUserAlreadyExistsUseAnotherEmail, "addresses are compared in lower case"},
		{w, `{"name":"A","email":"b@example.com","password":"1234567"}`, 400, ErrPasswordTooShort, "seven characters"},
		{w, `{"name":"A","email":"b@example.com","password":"😀😀😀"}`, 400, ErrPasswordTooShort, "three emoji are six UTF-16 units"},
		{w, `{"name":"A","email":"b@example.com","password":"` + strings.Repeat("😀", 65) + `"}`, 400, ErrPasswordTooLong, "65 emoji are 130 UTF-16 units"},
		{w, `{"name":"A","email":"b@example","password":"password"}`, 400, ErrValidation, "a domain needs a dot"},
		{w, `{"name":"A","email":" b@example.com","password":"password"}`, 400, ErrValidation, "no trimming"},
		{w, `{"name":"A","email":"bücher@example.com","password":"password"}`, 400, ErrValidation, "ASCII only"},
		{w, `{"name":"A","email":"b@example.com","password":"password","image":null}`, 400, ErrValidation, "null is no string"},
		{w, `{"name":"A","email":"b@example.com","password":"password","rememberMe":"no"}`, 400, ErrValidation, "a string is no boolean"},
		{disabled, `{"name":"A","email":"b@example.com","password":"password"}`, 400, ErrEmailPasswordSignUpDisabled, "sign-up is disabled"},
		{disabled, `{"name":"A"}`, 400, ErrValidation, "validation comes first"},
		{off, `{"name":"A","email":"b@example.com","password":"password"}`, 400, ErrEmailPasswordSignUpDisabled, "passwords are disabled"},
	} {
		t.Log(tt.reason)
		tt.w.browser().post("/sign-up/email", tt.body).fails(t, tt.status, tt.code)
	}
	if n := count(t, w, w.core.users.table); n != 1 {
		t.Errorf("%d users after refused sign-ups, want 1", n)
	}
}

func count(t *testing.T, w *world, table *Table, where ...Condition) int64 {
	t.Helper()
	n, err := w.store.Count(t.Context(), table, where...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSignUpDoesNotTellWhoHasAnAccount: where sign-up does not sign in, a known
// address gets an answer of the same form, and its owner a message.
func TestSignUpDoesNotTellWhoHasAnAccount(t *testing.T) {
	for name, edit := range map[string]func(*Config){
		"verification required": func(c *Config) { c.EmailPassword.RequireEmailVerification = true },
		"no automatic sign-in":  func(c *Config) { c.EmailPassword.NoAutoSignIn = true },
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			w := newWorld(t, edit, func(c *Config) {
				c.EmailPassword.OnExistingUserSignUp = func(_ context.Context, u *User) error {
					told = append(told, u.Name)
					return errors.New("only for the log")
				}
				c.User.Fields = []Column{
					{Name: "plan", Type: TypeString, Default: func() any { return "free" }},
					{Name: "secret", Type: TypeString, Hidden: true, Optional: true, Nullable: true},
				}
			})
			first := w.browser().post("/sign-up/email", credentials("ann")).ok(t)
			again := w.browser().post("/sign-up/email", map[string]any{"name": "ann", "email": "Ann@example.com", "password": "another one"}).ok(t)
			random := regexp.MustCompile(`"(id|createdAt|updatedAt)":"[^"]*"`)
			if a, b := random.ReplaceAllString(first.body, ""), random.ReplaceAllString(again.body, ""); a != b || !strings.Contains(a, `"token":null`) || !strings.Contains(a, `"plan":"free"`) || strings.Contains(a, "secret") {
				t.Errorf("the answers differ:\n%s\n%s", a, b)
			}
			if again.field(t, "user.id") == first.field(t, "user.id") {
				t.Error("the answer has the id of the real user")
			}
			if len(first.Header["Set-Cookie"])+len(again.Header["Set-Cookie"]) != 0 {
				t.Error("a cookie was set")
			}
			if len(told) != 1 || told[0] != "ann" {
				t.Errorf("told %v", told)
			}
			if n := count(t, w, w.core.users.table); n != 1 {
				t.Errorf("%d users", n)
			}
			w.browser().post("/sign-in/email", map[string]any{"email": "ann@example.com", "password": "another one"}).fails(t, 401, ErrInvalidEmailOrPassword)
		})
	}
}

// TestConcurrentSignUps: of many sign-ups with one address one succeeds.
func TestConcurrentSignUps(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			status := 200
			_, err := w.API.SignUpEmail.Call(t.Context(), SignUpEmailRequest{Name: "A", Email: "a@example.com", Password: "password"})
			if err != nil {
				status = apiError(err).Status
			}
			mu.Lock()
			statuses[status]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if statuses[200] != 1 || statuses[422] != 31 {
		t.Errorf("outcomes %v", statuses)
	}
	for _, table := range []*Table{w.core.users.table, w.core.accounts.table, w.core.sessions.table} {
		if n := count(t, w, table); n != 1 {
			t.Errorf("%d rows in %s", n, table.Name)
		}
	}
}

// TestSignUpIsAllOrNothing: whichever hook refuses, no row stays and no mail
// goes out.
func TestSignUpIsAllOrNothing(t *testing.T) {
	secret := errors.New("secret")
	for _, tt := range []struct {
		name   string
		hooks  DatabaseHooks
		status int
		code   Code
	}{
		{"user aborted", DatabaseHooks{User: EntityHooks[User]{BeforeCreate: func(context.Context, *User) error { return ErrAborted }}}, 400, ErrFailedToCreateUser},
		{"user refused", DatabaseHooks{User: EntityHooks[User]{BeforeCreate: func(context.Context, *User) error { return NewError(403, "NO", "No") }}}, 403, "NO"},
		{"account failed", DatabaseHooks{Account: EntityHooks[Account]{BeforeCreate: func(context.Context, *Account) error { return secret }}}, 500, ""},
		{"session aborted", DatabaseHooks{Session: EntityHooks[Session]{BeforeCreate: func(context.Context, *Session) error { return ErrAborted }}}, 400, ErrFailedToCreateSession},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(c *Config) {
				c.DatabaseHooks = tt.hooks
				c.EmailVerification.SendOnSignUp = true
			})
			r := w.browser().post("/sign-up/email", credentials("ann")).fails(t, tt.status, tt.code)
			for _, table := range []*Table{w.core.users.table, w.core.accounts.table, w.core.sessions.table} {
				if n := count(t, w, table); n != 0 {
					t.Errorf("%d rows in %s", n, table.Name)
				}
			}
			if len(w.mails) != 0 || len(r.Header["Set-Cookie"]) != 0 || strings.Contains(r.body, "secret") {
				t.Errorf("mails %v, cookies %v, body %s", w.mails, r.Header["Set-Cookie"], r.body)
			}
		})
	}
}

func TestForbiddenSignUpIsHiddenToo(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.EmailPassword.NoAutoSignIn = true
		c.DatabaseHooks.User.BeforeCreate = func(context.Context, *User) error { return NewError(403, "NO", "No") }
	})
	if r := w.browser().post("/sign-up/email", credentials("ann")).ok(t); r.field(t, "token") != nil {
		t.Errorf("body %s", r.body)
	}
}

func TestSignUpMailsVerification(t *testing.T) {
	for _, tt := range []struct {
		name, callback, want string
		edit                 func(*Config)
	}{
		{"asked for", "", "%2F", func(c *Config) { c.EmailVerification.SendOnSignUp = true }},
		{"required", "/a b?c=1", "%2Fa%20b%3Fc%3D1", func(c *Config) { c.EmailPassword.RequireEmailVerification = true }},
		{"required but not on sign-up", "", "", func(c *Config) {
			c.EmailPassword.RequireEmailVerification = true
			c.EmailVerification.NoSendOnSignUp = true
		}},
		{"neither", "", "", func(*Config) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.edit)
			body := credentials("ann")
			body["callbackURL"] = tt.callback
			w.browser().post("/sign-up/email", body).ok(t)
			if tt.want == "" {
				if len(w.mails) != 0 {
					t.Errorf("mails %v", w.mails)
				}
				return
			}
			mail := w.lastMail()
			if mail.URL != testBase+"/verify-email?token="+mail.Token+"&callbackURL="+tt.want || mail.User.Email != "ann@example.com" {
				t.Errorf("mail %+v", mail)
			}
		})
	}
}

// TestMailFailuresStayInTheLog: a mail server that is down tells a stranger
// nothing.
func TestMailFailuresStayInTheLog(t *testing.T) {
	fail := func(context.Context, Mail) error { return errSecret }
	w := newWorld(t, func(c *Config) {
		c.EmailVerification = EmailVerification{Send: fail, SendOnSignUp: true}
		c.EmailPassword.SendResetPassword = fail
	})
	w.as("ann").post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
	if n := strings.Count(w.log.String(), errSecret.Error()); n != 2 {
		t.Errorf("%d failures in the log:\n%s", n, w.log.String())
	}
}

func TestBackgroundTasks(t *testing.T) {
	var queue []func()
	w := newWorld(t, func(c *Config) {
		c.Background = func(task func()) { queue = append(queue, task) }
		c.EmailVerification.SendOnSignUp = true
	})
	w.as("ann")
	if len(queue) != 1 || len(w.mails) != 0 {
		t.Fatalf("%d tasks, %d mails", len(queue), len(w.mails))
	}
	queue[0]()
	w.lastMail()
}

func TestAdditionalUserFields(t *testing.T) {
	columns := []Column{
		{Name: "plan", Type: TypeString, Default: func() any { return "free" }},
		{Name: "role", Type: TypeString, ServerOnly: true, Default: func() any { return "user" }},
		{Name: "credit", Type: TypeNumber, ServerOnly: true, Optional: true, Nullable: true},
		{Name: "age", Type: TypeNumber, Validate: func(v any) error {
			if n, ok := v.(float64); !ok || n < 18 {
				return errors.New("too young")
			}
			return nil
		}},
		{Name: "nick", Type: TypeString, Optional: true, Nullable: true, Transform: func(v any) any { return strings.ToLower(v.(string)) }},
		{Name: "pin", Type: TypeString, Hidden: true, Optional: true, Nullable: true},
		{Name: "born", Type: TypeDate, Optional: true, Nullable: true},
		{Name: "tags", Type: TypeStrings, Optional: true, Nullable: true},
	}
	w := newWorld(t, func(c *Config) { c.User.Fields = columns })
	body := func(extra map[string]any) map[string]any {
		b := credentials("ann")
		for k, v := range extra {
			b[k] = v
		}
		return b
	}
	short := body(nil)
	short["password"] = "short"
	w.browser().post("/sign-up/email", short).fails(t, 400, ErrPasswordTooShort) // before the fields
	for _, tt := range []struct {
		extra   map[string]any
		code    Code
		message string
	}{
		{nil, ErrMissingField, "age is required"},
		{map[string]any{"age": 17}, ErrValidation, "too young"},
		{map[string]any{"age": 20, "credit": 5}, ErrFieldNotAllowed, "credit is not allowed to be set"},
		{map[string]any{"age": 20, "plan": 5}, ErrValidation, "Invalid input: expected string for plan"},
	} {
		r := w.browser().post("/sign-up/email", body(tt.extra)).fails(t, 400, tt.code)
		if got := r.field(t, "message"); got != tt.message {
			t.Errorf("message %q, want %q", got, tt.message)
		}
	}
	ann := w.browser()
	r := ann.post("/sign-up/email", body(map[string]any{
		"age": 20, "role": "admin", "credit": 0, "nick": "ANN", "pin": "1234", "born": "2000-01-02T03:04:05.678Z", "tags": []string{"a", "b"},
	})).ok(t)
	want := `"plan":"free","role":"user","credit":null,"age":20,"nick":"ann","born":"2000-01-02T03:04:05.678Z","tags":["a","b"],"id":`
	if !strings.Contains(r.body, want) || strings.Contains(r.body, "1234") {
		t.Errorf("body %s", r.body)
	}
	if r := ann.get("/get-session").ok(t); !strings.Contains(r.body, want) || strings.Contains(r.body, "1234") {
		t.Errorf("session %s", r.body)
	}
	ann.post("/update-user", `{"role":"admin"}`).fails(t, 400, ErrFieldNotAllowed)
	ann.post("/update-user", `{"nick":"OTHER","born":null}`).ok(t)
	if r := ann.get("/get-session"); r.field(t, "user.nick") != "other" || r.field(t, "user.born") != nil {
		t.Errorf("session %s", r.body)
	}
	data, err := w.Session(&http.Request{Header: ann.headers()})
	if err != nil || data.User.Fields["nick"] != "other" || data.User.Fields["pin"] != nil {
		t.Errorf("%+v, %v", data, err)
	}
}

// TestNullFields: a null that a column cannot have gives way to the default of a
// new row; otherwise it cannot be stored.
func TestNullFields(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.User.Fields = []Column{
			{Name: "plan", Type: TypeString, Default: func() any { return "free" }},
			{Name: "motto", Type: TypeString, Optional: true, Default: func() any { return "none" }},
			{Name: "company", Type: TypeString},
		}
	})
	signUp := func(name, fields string) reply {
		return w.browser().post("/sign-up/email", `{"name":"x","email":"`+name+`@example.com","password":"password",`+fields+`}`)
	}
	signUp("ann", `"company":null`).fails(t, 422, ErrFailedToCreateUser)
	r := signUp("ann", `"company":"x","plan":null,"motto":null`).ok(t)
	if r.field(t, "user.plan") != "free" || r.field(t, "user.motto") != nil {
		t.Errorf("plan %v, motto %v", r.field(t, "user.plan"), r.field(t, "user.motto"))
	}
	signUp("ann", `"company":null`).fails(t, 422, ErrUserAlreadyExistsUseAnotherEmail)
}

// TestTakenFields: a value that is taken is the client's mistake, whenever it is
// sent.
func TestTakenFields(t *testing.T) {
	handle := []Column{{Name: "handle", Type: TypeString, Unique: true, Optional: true}}
	w := newWorld(t, func(c *Config) { c.User.Fields, c.Session.Fields = handle, handle })
	ann, bob := w.as("ann"), w.as("bob")
	for path, code := range map[string]Code{"/update-user": ErrFailedToUpdateUser, "/update-session": ErrValidation} {
		ann.post(path, `{"handle":"x"}`).ok(t)
		bob.post(path, `{"handle":"x"}`).fails(t, 400, code)
		bob.post(path, `{"handle":"y"}`).ok(t)
	}
}

// TestHiddenSignUpRefusesAlike: data that cannot be stored is refused whether or
// not the address is known, and leaves nothing behind.
func TestHiddenSignUpRefusesAlike(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.EmailPassword.NoAutoSignIn = true
		c.User.Fields = []Column{{Name: "handle", Type: TypeString, Unique: true, Optional: true, Nullable: true}}
	})
	signUp := func(email, handle string) reply {
		return w.browser().post("/sign-up/email", map[string]any{"name": "x", "email": email, "password": "a long password", "handle": handle})
	}
	signUp("ann@example.com", "ann").ok(t)
	for _, email := range []string{"ann@example.com", "new@example.com"} {
		signUp(email, "ann").fails(t, 422, ErrFailedToCreateUser)
	}
	signUp("ann@example.com", "free").ok(t)
	if n := count(t, w, w.core.users.table); n != 1 {
		t.Errorf("%d users", n)
	}
	signUp("bob@example.com", "free").ok(t) // the trial has not taken it
}
