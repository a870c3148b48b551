package auth

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// bearerWorld is an instance with the plugin.
func bearerWorld(t *testing.T, plugin *Bearer, edit ...func(*Config)) *world {
	t.Helper()
	return newWorld(t, append(edit, func(c *Config) { c.Plugins = append(c.Plugins, plugin) })...)
}

// sending is a client without cookies that sends a header Authorization.
func (w *world) sending(authorization string) *browser {
	b := w.browser()
	b.header = http.Header{"Authorization": {authorization}}
	return b
}

// tokens returns the bare token of a browser's session and the signed one, as the
// plugin gives it to clients.
func (b *browser) tokens() (bare, signed string) {
	signed = decodeURIComponent(b.cookies["better-auth.session_token"])
	bare, _, _ = strings.Cut(signed, ".")
	return bare, signed
}

func TestBearer(t *testing.T) {
	for _, required := range []bool{false, true} {
		w := bearerWorld(t, &Bearer{RequireSignature: required})
		bare, signed := w.as("ann").tokens()
		tests := []struct {
			name, authorization string
			signedIn            bool
		}{
			{"signed", "Bearer " + signed, true},
			{"percent-encoded", "Bearer " + encodeURIComponent(signed), true},
			{"small letters", "bearer " + signed, true},
			{"spaces", "BEARER  \t" + signed + " ", true},
			{"bare", "Bearer " + bare, !required},
			{"signed by somebody else", "Bearer " + newSigner("another secret, 32 bytes long ....").signCookie(bare), false},
			{"tampered", "Bearer A" + signed, false},
			{"empty signature", "Bearer " + bare + ".", false},
			{"more behind it", "Bearer " + signed + "x", false},
			{"unknown", "Bearer " + newSigner(testSecret).signCookie("unknown"), false},
			{"no scheme", signed, false},
			{"another scheme", "Basic " + signed, false},
			{"empty", "Bearer ", false},
			{"two", "Bearer " + signed + " " + signed, false},
		}
		for _, test := range tests {
			b := w.sending(test.authorization)
			if got := b.get("/get-session").ok(t).body != "null"; got != test.signedIn {
				t.Errorf("required %v: %s: signed in: %v", required, test.name, got)
			}
			if got := b.get("/list-accounts").StatusCode == 200; got != test.signedIn {
				t.Errorf("required %v: %s: has accounts: %v", required, test.name, got)
			}
		}
	}
}

// Handlers of the application see the same caller as endpoints do.
func TestBearerInHandlers(t *testing.T) {
	w := bearerWorld(t, &Bearer{})
	bare, signed := w.as("ann").tokens()
	guarded := w.RequireSession(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = rw.Write([]byte(SessionFromContext(r.Context()).User.Name))
	}))
	for authorization, name := range map[string]string{
		"Bearer " + bare: "ann", "Bearer " + signed: "ann", "Bearer " + signed + "x": "", "Bearer unknown": "", "": "",
	} {
		r := httptest.NewRequest("GET", "/me", nil)
		r.Header.Set("Authorization", authorization)
		data, err := w.Session(r)
		if err != nil || (data != nil) != (name != "") || data != nil && data.User.Name != name {
			t.Errorf("Session with %q: %v, %v", authorization, data, err)
		}
		rec := serve(guarded, "GET", "/me", "", "Authorization", authorization)
		if name != "" && rec.Body.String() != name || name == "" && rec.Code != 401 {
			t.Errorf("RequireSession with %q: %d %s", authorization, rec.Code, rec.Body)
		}
		if cookies := r.Header.Values("Cookie"); len(cookies) != 0 {
			t.Errorf("the request was changed: %q", cookies)
		}
	}
}

// A good token is in place of the session's cookie and of its cached copy; the
// other cookies stay.
func TestBearerBesideCookies(t *testing.T) {
	for _, cached := range []bool{false, true} {
		w := bearerWorld(t, &Bearer{}, func(c *Config) { c.Session.CookieCache.Enabled = cached })
		ann, bob := w.as("ann"), w.as("bob")
		_, signed := ann.tokens()
		bob.header.Set("Authorization", "Bearer "+signed)
		if name := bob.get("/get-session").field(t, "user.name"); name != "ann" {
			t.Errorf("cached %v: the cookie won: %v", cached, name)
		}
		bob = w.signIn("bob")
		bob.header.Set("Authorization", "Bearer "+signed+"x")
		if name := bob.get("/get-session").field(t, "user.name"); name != "bob" {
			t.Errorf("cached %v: a bad header counted: %v", cached, name)
		}
		data, err := w.API.GetSession.Call(t.Context(), GetSessionRequest{}, WithHeaders(http.Header{"Authorization": {"Bearer " + signed}}))
		if err != nil || data == nil || data.User.Name != "ann" {
			t.Errorf("a direct call: %v, %v", data, err)
		}
	}
}

// Whatever gives a browser a session tells other clients what to send.
func TestBearerExposesTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bearerWorld(t, &Bearer{})
		ann := w.browser()
		exposed := func(r reply, want bool) {
			t.Helper()
			got, names := r.Header.Get("Set-Auth-Token"), r.Header.Get("Access-Control-Expose-Headers")
			if (got != "") != want || (names == "set-auth-token") != want {
				t.Errorf("set-auth-token %q, exposed %q", got, names)
			}
			if _, signed := ann.tokens(); want && got != signed {
				t.Errorf("set-auth-token %q beside the cookie %q", got, signed)
			}
		}
		exposed(ann.post("/sign-up/email", credentials("ann")), true)
		exposed(ann.get("/get-session"), false)
		exposed(ann.post("/update-user", `{"name":"Ann"}`), true)
		time.Sleep(25 * time.Hour)
		exposed(ann.get("/list-sessions"), true)
		exposed(ann.post("/sign-in/email", `{"email":"ann@example.com","password":"wrong"}`), false)
		exposed(ann.post("/sign-out", ""), false)
	})
}

// A page elsewhere cannot make a browser send the header, so it needs no Origin.
func TestBearerNeedsNoOrigin(t *testing.T) {
	w := bearerWorld(t, &Bearer{})
	_, signed := w.as("ann").tokens()
	app := w.sending("Bearer " + signed)
	app.post("/update-user", `{"name":"App"}`).ok(t)
	app.header.Set("Origin", "https://evil.test")
	app.cookies["other"] = "cookie"
	app.post("/update-user", `{"name":"Evil"}`).fails(t, 403, ErrInvalidOrigin)
}

// A malformed Authorization header made the server panic.
func TestAdvisory_GHSA_xmf8_Bearer(t *testing.T) {
	w := bearerWorld(t, &Bearer{})
	w.as("ann")
	w.log.Reset()
	for _, authorization := range []string{
		"", " ", "Bearer", "Bearer ", "Bearer \x00", "Bearer .", "Bearer ..", "Bearer %", "Bearer %.%", "Bearer a.%", "Bearer .=",
		"Bearer a." + strings.Repeat("=", 44), "Bearer \xff\xfe.\xff", "Bearer ;a=b", "Bearer a\r\nSet-Cookie: x=y", "Bearer " + strings.Repeat("a.", 10000),
		"\xff", "bearerbearer", "Bearer\t", "Bearer ,Bearer",
	} {
		r := w.sending(authorization).get("/get-session").ok(t)
		if r.body != "null" || r.Header.Get("Set-Auth-Token") != "" {
			t.Errorf("%q: %s %v", authorization, r.body, r.Header)
		}
	}
	if w.log.Len() != 0 {
		t.Error(w.log.String())
	}
}

// FuzzBearer: only whoever knows a session's token, and where that is wanted its
// signature, has the session.
func FuzzBearer(f *testing.F) {
	lenient, bare, _ := bearerInstance(f, &Bearer{})
	strict, _, signed := bearerInstance(f, &Bearer{RequireSignature: true})
	_, signature, _ := strings.Cut(signed, ".")
	for _, seed := range []string{"Bearer x", "bearer " + bare, "Bearer " + signed, "Bearer " + encodeURIComponent(signed), "Bearer a.b", "Bearer %2e", "", "Basic YTpi"} {
		f.Add(seed)
	}
	escapes := regexp.MustCompile("%[0-9A-Fa-f]{2}")
	f.Fuzz(func(t *testing.T, authorization string) {
		plain := escapes.ReplaceAllStringFunc(authorization, decodeURIComponent)
		r := &http.Request{Header: http.Header{"Authorization": {authorization}}}
		data, err := lenient.Session(r)
		if err != nil || data != nil && !strings.Contains(plain, bare) {
			t.Errorf("without a signature: %v, %v", data, err)
		}
		data, err = strict.Session(r)
		if err != nil || data != nil && !strings.Contains(plain, signature) {
			t.Errorf("with one: %v, %v", data, err)
		}
		rec := serve(strict, "GET", testBase+"/get-session", "", "Authorization", authorization)
		if rec.Code != 200 || (rec.Body.String() != "null") != (data != nil) {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

// bearerInstance is an instance and the tokens of somebody who is signed in there.
func bearerInstance(f *testing.F, plugin *Bearer) (a *Auth, bare, signed string) {
	f.Helper()
	a, err := New(Config{
		BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{plugin},
		EmailPassword: EmailPassword{Enabled: true}, Passwords: Passwords{Hasher: plainHasher{}}, RateLimit: RateLimit{Disabled: true},
	})
	if err != nil {
		f.Fatal(err)
	}
	var header http.Header
	in := SignUpEmailRequest{Name: "Ann", Email: "ann@example.com", Password: "password of ann"}
	if _, err = a.API.SignUpEmail.Call(f.Context(), in, ReturnHeaders(&header)); err != nil {
		f.Fatal(err)
	}
	signed = header.Get("Set-Auth-Token")
	bare, _, _ = strings.Cut(signed, ".")
	return a, bare, signed
}
