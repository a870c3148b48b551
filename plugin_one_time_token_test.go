package auth

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func oneTimeWorld(t *testing.T, plugin *OneTimeToken, edit ...func(*Config)) *world {
	t.Helper()
	return newWorld(t, append(edit, func(c *Config) { c.Plugins = append(c.Plugins, plugin) })...)
}

// oneTimeToken asks for a token.
func (b *browser) oneTimeToken() string {
	b.t.Helper()
	return b.get("/one-time-token/generate").ok(b.t).field(b.t, "token").(string)
}

// redeem brings one back.
func (b *browser) redeem(token string) reply {
	b.t.Helper()
	return b.post("/one-time-token/verify", map[string]string{"token": token})
}

func TestOneTimeToken(t *testing.T) {
	w := oneTimeWorld(t, &OneTimeToken{})
	ann := w.as("ann")
	token := ann.oneTimeToken()
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{32}$`).MatchString(token) {
		t.Errorf("token %q", token)
	}
	app := w.browser()
	r := app.redeem(token).ok(t)
	session := ann.get("/get-session")
	for _, member := range []string{"session.token", "session.id", "user.email"} {
		if r.field(t, member) != session.field(t, member) {
			t.Errorf("%s: %v", member, r.field(t, member))
		}
	}
	if !app.signedIn() || !ann.signedIn() {
		t.Error("somebody is not signed in")
	}
	w.browser().redeem(token).fails(t, 400, "")
	w.browser().get("/one-time-token/generate").fails(t, 401, ErrUnauthorized)
}

func TestOneTimeTokenExpires(t *testing.T) {
	for lifetime, want := range map[time.Duration]time.Duration{0: 3 * time.Minute, time.Hour: time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			w := oneTimeWorld(t, &OneTimeToken{ExpiresIn: lifetime})
			ann := w.as("ann")
			token := ann.oneTimeToken()
			time.Sleep(want - time.Second)
			w.browser().redeem(token).ok(t)
			token = ann.oneTimeToken()
			time.Sleep(want + time.Second)
			r := w.browser().redeem(token).fails(t, 400, "")
			if r.body != `{"message":"Invalid token"}` {
				t.Error(r.body)
			}
		})
	}
	if _, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{&OneTimeToken{ExpiresIn: -1}}}); err == nil {
		t.Error("a negative lifetime was accepted")
	}
}

// A token is worth what its session is, and is spent all the same.
func TestOneTimeTokenOfEndedSession(t *testing.T) {
	tests := map[string]func(w *world, ann *browser){
		`{"message":"Session not found"}`: func(_ *world, ann *browser) { ann.post("/sign-out", "").ok(ann.t) },
		`{"message":"Session expired"}`:   func(*world, *browser) { time.Sleep(2 * time.Hour) },
	}
	for want, end := range tests {
		synctest.Test(t, func(t *testing.T) {
			w := oneTimeWorld(t, &OneTimeToken{ExpiresIn: 24 * time.Hour, SendOnNewSession: true}, func(c *Config) { c.Session.ExpiresIn = time.Hour })
			ann := w.as("ann")
			token := ann.oneTimeToken()
			end(w, ann)
			app := w.browser()
			r := app.redeem(token).fails(t, 400, "")
			if r.body != want || len(app.cookies) != 0 || r.Header.Get("Set-Ott") != "" {
				t.Errorf("%s %v", r.body, r.Header)
			}
			if r := app.redeem(token); r.body != `{"message":"Invalid token"}` {
				t.Errorf("again: %s", r.body)
			}
		})
	}
}

func TestOneTimeTokenOptions(t *testing.T) {
	w := oneTimeWorld(t, &OneTimeToken{DisableClientRequest: true})
	ann := w.as("ann")
	if r := ann.get("/one-time-token/generate").fails(t, 400, ""); r.body != `{"message":"Client requests are disabled"}` {
		t.Error(r.body)
	}
	out, err := w.API.Operation("generateOneTimeToken").CallJSON(t.Context(), nil, WithHeaders(ann.headers()))
	if err != nil || !strings.HasPrefix(string(out), `{"token":"`) {
		t.Errorf("%s, %v", out, err)
	}

	w = oneTimeWorld(t, &OneTimeToken{DisableSessionCookie: true})
	app := w.browser()
	if r := app.redeem(w.as("ann").oneTimeToken()).ok(t); len(r.Cookies()) != 0 || r.field(t, "user.name") != "ann" {
		t.Errorf("%s %v", r.body, r.Header)
	}

	w = oneTimeWorld(t, &OneTimeToken{StoreToken: HashIdentifier})
	token := w.as("ann").oneTimeToken()
	rows, err := w.store.Select(t.Context(), Query{Table: verificationTable()})
	if err != nil || len(rows) != 1 || strings.Contains(rowText(rows[0]), token) || !strings.Contains(rowText(rows[0]), oneTimeTokenPurpose+HashIdentifier(token)) {
		t.Errorf("stored %v, %v", rows, err)
	}
	w.browser().redeem(HashIdentifier(token)).fails(t, 400, "")
	w.browser().redeem(token).ok(t)
}

func rowText(row Row) string {
	var text []string
	for _, value := range row {
		if s, ok := value.(string); ok {
			text = append(text, s)
		}
	}
	return strings.Join(text, " ")
}

func TestOneTimeTokenOfApplication(t *testing.T) {
	token, failure := "", error(nil)
	w := oneTimeWorld(t, &OneTimeToken{NewToken: func(_ context.Context, data *SessionData) (string, error) {
		return token + data.User.Name, failure
	}})
	ann := w.as("ann")
	token = "token of "
	if got := ann.oneTimeToken(); got != "token of ann" {
		t.Error(got)
	}
	w.browser().redeem("token of ann").ok(t)
	failure = errors.New("no")
	ann.get("/one-time-token/generate").fails(t, 500, "")

	w = oneTimeWorld(t, &OneTimeToken{NewToken: func(context.Context, *SessionData) (string, error) { return "", nil }})
	w.as("ann").get("/one-time-token/generate").fails(t, 500, "")
	w.browser().redeem("").fails(t, 400, "")
}

// Whatever gives a browser a session gives a token for it too, if that is wanted.
func TestOneTimeTokenBesideSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := oneTimeWorld(t, &OneTimeToken{SendOnNewSession: true})
		ann := w.browser()
		given := func(r reply, want bool) {
			t.Helper()
			token := r.Header.Get("Set-Ott")
			if (token != "") != want || (r.Header.Get("Access-Control-Expose-Headers") == "set-ott") != want {
				t.Fatalf("headers %v", r.Header)
			}
			if want && w.browser().redeem(token).ok(t).field(t, "user.email") != "ann@example.com" {
				t.Error("a token of somebody else")
			}
		}
		given(ann.post("/sign-up/email", credentials("ann")), true)
		given(ann.get("/get-session"), false)
		time.Sleep(25 * time.Hour)
		given(ann.get("/get-session"), true)
		given(ann.post("/sign-in/email", credentials("ann")), true)
		given(ann.post("/sign-in/email", `{"email":"ann@example.com","password":"wrong"}`), false)
		given(ann.post("/sign-out", ""), false)
		if r := oneTimeWorld(t, &OneTimeToken{}).browser().post("/sign-up/email", credentials("ann")); r.Header.Get("Set-Ott") != "" {
			t.Errorf("headers %v", r.Header)
		}
	})
}

// A secret of one purpose is none for another.
func TestOneTimeTokenPurpose(t *testing.T) {
	w := oneTimeWorld(t, &OneTimeToken{})
	ann := w.as("ann")
	token := ann.oneTimeToken()
	w.browser().post("/reset-password", map[string]string{"token": token, "newPassword": "another password"}).fails(t, 400, ErrInvalidToken)
	w.browser().post("/request-password-reset", map[string]string{"email": "ann@example.com"}).ok(t)
	reset := w.lastMail().Token
	for _, other := range []string{reset, "reset-password:" + reset, "one-time-token:" + token, token + " ", strings.ToUpper(token)} {
		w.browser().redeem(other).fails(t, 400, "")
	}
	w.browser().redeem(token).ok(t)
}

// Of any number of callers one gets the session.
func TestOneTimeTokenConcurrently(t *testing.T) {
	plugin := &OneTimeToken{}
	w := oneTimeWorld(t, plugin)
	ann := w.as("ann")
	for range 20 {
		token := ann.oneTimeToken()
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				var header http.Header
				data, err := plugin.Verify.Call(t.Context(), VerifyOneTimeTokenRequest{token}, ReturnHeaders(&header))
				if api := apiError(err); err != nil && (api == nil || api.Status != 400) || (data == nil) != (len(header["Set-Cookie"]) == 0) {
					t.Errorf("%v, %v, %v", data, err, header)
				}
				if data != nil {
					won.Add(1)
				}
			})
		}
		if wg.Wait(); won.Load() != 1 {
			t.Fatalf("%d callers got the session", won.Load())
		}
	}
}

func TestOneTimeTokenDoors(t *testing.T) {
	checkPluginDoors(t, doorSet{
		plugin: func() Plugin { return &OneTimeToken{} },
		prepare: func(d *doorWorld) {
			out, err := d.API.Operation("generateOneTimeToken").(*Endpoint[Empty, *GenerateOneTimeTokenResponse]).Call(d.t.Context(), Empty{}, WithHeaders(d.ann.headers()))
			if err != nil {
				d.t.Fatal(err)
			}
			d.secret["$ott"] = out.Token
		},
		cases: []doorCase{
			{op: "generateOneTimeToken", as: "ann", want: 200},
			{op: "generateOneTimeToken", as: "forged", want: 401},
			{op: "generateOneTimeToken", want: 401},
			{op: "generateOneTimeToken", as: "ann", broken: true, want: 500},
			{op: "verifyOneTimeToken", input: `{"token":"$ott"}`, want: 200},
			{op: "verifyOneTimeToken", input: `{"token":"$ott"}`, as: "ann", want: 200},
			{op: "verifyOneTimeToken", input: `{"token":"unknown"}`, want: 400},
			{op: "verifyOneTimeToken", input: `{}`, wire: true, want: 400},
			{op: "verifyOneTimeToken", input: `{"token":"$ott"}`, broken: true, want: 500},
		},
	})
}
