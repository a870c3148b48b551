package auth

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	tokenName = "better-auth.session_token"
	dataName  = "better-auth.session_data"
	foreign   = "the secret of somebody else, long"
)

func newVerifier(t *testing.T, config VerifierConfig) *Verifier {
	t.Helper()
	v, err := NewVerifier(config)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// sees demands that a request with these headers is that of a user, or of nobody
// if the name is empty.
func sees(t *testing.T, reason string, v *Verifier, h http.Header, name string) {
	t.Helper()
	data, err := v.Session(&http.Request{Header: h})
	got := ""
	if data != nil {
		got = data.User.Name
	}
	if err != nil || got != name {
		t.Errorf("%s: the session of %q, %v; want %q", reason, got, err, name)
	}
}

func cookies(pairs ...string) http.Header { return http.Header{"Cookie": {strings.Join(pairs, "; ")}} }

// bearer is the request of somebody with the value of a session cookie, which
// is what the bearer plugin hands out.
func bearer(cookie string) http.Header {
	return http.Header{"Authorization": {"Bearer " + decodeURIComponent(cookie)}}
}

// caches switches on copies of a form.
func caches(strategy CacheStrategy) func(*Config) {
	return func(c *Config) { c.Session.CookieCache = CookieCache{Enabled: true, Strategy: strategy} }
}

// listen serves an instance on a socket of the loopback.
func (w *world) listen() string {
	server := httptest.NewServer(w)
	w.t.Cleanup(server.Close)
	return server.URL
}

// TestVerifierSources: each source that can know a session knows it, by cookie and
// as a bearer, and sees that it is revoked.
func TestVerifierSources(t *testing.T) {
	secondary := NewMemorySecondaryStorage()
	for name, tt := range map[string]struct {
		edit   func(*Config)
		config func(w *world) VerifierConfig
	}{
		"store": {nil, func(w *world) VerifierConfig { return VerifierConfig{Secret: testSecret, Store: w.store} }},
		"secondary storage": {
			func(c *Config) { c.SecondaryStorage = secondary },
			func(*world) VerifierConfig { return VerifierConfig{Secret: testSecret, SecondaryStorage: secondary} },
		},
		"both, with a session in the database only": {
			func(c *Config) { c.Session.StoreInDatabase = true },
			func(w *world) VerifierConfig {
				return VerifierConfig{Secret: testSecret, Store: w.store, SecondaryStorage: NewMemorySecondaryStorage()}
			},
		},
		"URL":             {nil, func(w *world) VerifierConfig { return VerifierConfig{URL: w.listen()} }},
		"URL with a path": {nil, func(w *world) VerifierConfig { return VerifierConfig{URL: w.listen() + "/api/auth/"} }},
		"URL and secret":  {nil, func(w *world) VerifierConfig { return VerifierConfig{URL: w.listen(), Secret: testSecret} }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *Config) {
				if tt.edit != nil {
					tt.edit(c)
				}
			})
			v, ann := newVerifier(t, tt.config(w)), w.as("ann")
			want, err := w.Session(&http.Request{Header: ann.headers()})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := v.Session(&http.Request{Header: ann.headers()}); err != nil || asJSON(t, got) != asJSON(t, want) {
				t.Errorf("%s, %v\nwant %s", asJSON(t, got), err, asJSON(t, want))
			}
			sent := ann.cookies[tokenName]
			sees(t, "bearer", v, bearer(sent), "ann")
			sees(t, "bearer, percent-encoded", v, http.Header{"Authorization": {"bEARER  " + sent + " "}}, "ann")
			sees(t, "no credentials", v, http.Header{}, "")
			ann.post("/sign-out", "{}").ok(t)
			sees(t, "revoked", v, cookies(tokenName+"="+sent), "")
			sees(t, "revoked bearer", v, bearer(sent), "")
		})
	}
}

func asJSON(t *testing.T, data *SessionData) string {
	t.Helper()
	text, err := data.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestVerifierCopies: with nothing but the secret, copies of every form prove a
// session, in chunks too, together with the token and not one without the other.
func TestVerifierCopies(t *testing.T) {
	for _, strategy := range []CacheStrategy{CacheCompact, CacheJWT, CacheJWE} {
		w := newWorld(t, caches(strategy))
		v := newVerifier(t, VerifierConfig{Secret: testSecret})
		ann, bob := w.as("ann"), w.as("bob")
		token, data := tokenName+"="+ann.cookies[tokenName], dataName+"="+ann.cookies[dataName]
		for _, tt := range []struct {
			reason string
			h      http.Header
			name   string
		}{
			{"token and copy", cookies(token, data), "ann"},
			{"bearer and copy", merged(bearer(ann.cookies[tokenName]), cookies(data)), "ann"},
			{"token alone: it says nothing about its end", cookies(token), ""},
			{"bearer alone", bearer(ann.cookies[tokenName]), ""},
			{"copy alone: get-session takes none without the token", cookies(data), ""},
			{"the copy of another session", cookies(token, dataName+"="+bob.cookies[dataName]), ""},
			{"unsigned token", cookies(tokenName+"="+strings.Split(ann.cookies[tokenName], ".")[0], data), ""},
			{"a copy with a dot too many", cookies(token, data+"."), ""},
			{"a copy in padded base64", cookies(token, data+"="), ""},
			{"a copy without its end", cookies(token, data[:len(data)-1]), ""},
		} {
			sees(t, string(strategy)+": "+tt.reason, v, tt.h, tt.name)
		}
		sees(t, string(strategy)+": foreign", newVerifier(t, VerifierConfig{Secret: foreign}), ann.headers(), "")
		chunks(t, v, w)
	}
}

// TestVerifierOtherSeals: what the secret sealed for another purpose is no copy.
func TestVerifierOtherSeals(t *testing.T) {
	w := newWorld(t, caches(CacheCompact))
	ann := w.as("ann")
	data, err := w.Session(&http.Request{Header: ann.headers()})
	if err != nil {
		t.Fatal(err)
	}
	object, err := w.core.home.cookies.copyOf(data)
	if err != nil {
		t.Fatal(err)
	}
	mailed, err := newSigner(testSecret).signJWT(map[string]any{"email": "ann@example.com", "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := newEncrypter("better-auth-account", testSecret)
	if err != nil {
		t.Fatal(err)
	}
	v, soon := newVerifier(t, VerifierConfig{Secret: testSecret}), time.Now().Add(time.Hour)
	for reason, tt := range map[string]struct{ value, name string }{
		"a copy, made here":              {jwtSeal{newSigner(testSecret)}.seal(object, soon), "ann"},
		"a mailed token":                 {mailed, ""},
		"sealed as the tokens of a user": {jweSeal{accounts}.seal(object, soon), ""},
		"no session in it":               {jwtSeal{newSigner(testSecret)}.seal([]byte(`{"user":{}}`), soon), ""},
		"the session of another user": {
			jwtSeal{newSigner(testSecret)}.seal(bytes.Replace(object, []byte(`"userId":"`), []byte(`"userId":"x`), 1), soon), "",
		},
	} {
		sees(t, reason, v, cookies(tokenName+"="+ann.cookies[tokenName], dataName+"="+tt.value), tt.name)
	}
}

// chunks checks a copy that is too large for one cookie.
func chunks(t *testing.T, v *Verifier, w *world) {
	t.Helper()
	eve := w.browser()
	large := credentials("eve")
	large["image"] = "data:," + strings.Repeat("large", 1500)
	eve.post("/sign-up/email", large).ok(t)
	second := eve.cookies[dataName+".1"]
	if second == "" {
		t.Fatal("the copy is in one cookie")
	}
	sees(t, "chunks", v, eve.headers(), "eve")
	for reason, value := range map[string]string{"missing": "", "tampered with": flip(second), "twice": second + second} {
		sent := maps.Clone(eve.cookies)
		sent[dataName+".1"] = value
		sees(t, "a chunk is "+reason, v, (&browser{world: w, cookies: sent}).headers(), "")
	}
}

// flip changes the character in the middle.
func flip(text string) string {
	b := []byte(text)
	if i := len(b) / 2; b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

func merged(headers ...http.Header) http.Header {
	all := http.Header{}
	for _, h := range headers {
		maps.Copy(all, h)
	}
	return all
}

// TestVerifierForgeries: none of the sources is even asked.
func TestVerifierForgeries(t *testing.T) {
	store := &brokenStore{Store: NewMemoryStore()}
	w := newWorld(t, func(c *Config) { c.Store = store })
	ann := w.as("ann")
	value := decodeURIComponent(ann.cookies[tokenName])
	token, tag, _ := strings.Cut(value, ".")
	store.broken = true
	v := newVerifier(t, VerifierConfig{Secret: testSecret, Store: store})
	for reason, forged := range map[string]string{
		"unsigned": token, "empty tag": token + ".", "empty token": "." + tag, "empty": "", "flipped token": flip(token) + "." + tag,
		"flipped tag": token + "." + flip(tag), "tag without padding": token + "." + strings.TrimSuffix(tag, "="),
		"tag in base64url": token + "." + strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(tag),
		"tag twice":        value + "." + tag, "foreign": newSigner(foreign).signCookie(token), "malformed escape": "%zz" + value,
		"doubly encoded": encodeURIComponent(encodeURIComponent(value)), "not UTF-8": "\xff" + value,
	} {
		sees(t, reason, v, cookies(tokenName+"="+forged), "")
		sees(t, reason+" bearer", v, http.Header{"Authorization": {"Bearer " + forged}}, "")
		sees(t, reason+" basic", v, http.Header{"Authorization": {"Basic " + value}}, "")
	}
	if _, err := v.Session(&http.Request{Header: ann.headers()}); !errors.Is(err, errSecret) {
		t.Errorf("the store was not asked about a true token: %v", err)
	}
}

// TestVerifierBearer: a bearer token goes before the cookie if its signature
// holds, as with the bearer plugin.
func TestVerifierBearer(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.as("ann"), w.as("bob")
	v := newVerifier(t, VerifierConfig{Secret: testSecret, Store: w.store})
	sees(t, "both", v, merged(ann.headers(), bearer(bob.cookies[tokenName])), "bob")
	for _, other := range []string{"Bearer x.y", "Bearer " + strings.Split(bob.cookies[tokenName], ".")[0], "Bearer", "Bearer ", "Basic YTpi", bob.cookies[tokenName]} {
		sees(t, other, v, merged(ann.headers(), http.Header{"Authorization": {other}}), "ann")
	}
}

// TestVerifierNames: the original's helper for cookies looks for the name with
// __Secure- first and for the other one only if that was not sent.
func TestVerifierNames(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.as("ann").cookies[tokenName], w.as("bob").cookies[tokenName]
	plain, secure := tokenName+"=", securePrefix+tokenName+"="
	for _, tt := range []struct {
		reason  string
		cookies Cookies
		h       http.Header
		name    string
	}{
		{"plain", Cookies{}, cookies(plain + ann), "ann"},
		{"secure", Cookies{}, cookies(secure + ann), "ann"},
		{"both", Cookies{}, cookies(plain+ann, secure+bob), "bob"},
		{"both, the other way round", Cookies{}, cookies(secure+bob, plain+ann), "bob"},
		{"a forged secure one does not give way", Cookies{}, cookies(secure+flip(bob), plain+ann), ""},
		{"nor does an empty one", Cookies{}, cookies(secure, plain+ann), ""},
		{"AlwaysSecure", Cookies{AlwaysSecure: true}, cookies(plain+ann, secure+bob), "bob"},
		{"AlwaysSecure, plain", Cookies{AlwaysSecure: true}, cookies(plain + ann), ""},
		{"NeverSecure", Cookies{NeverSecure: true}, cookies(plain+ann, secure+bob), "ann"},
		{"NeverSecure, secure", Cookies{NeverSecure: true}, cookies(secure + bob), ""},
		{"of two with one name the first", Cookies{}, cookies(plain+ann, plain+bob), "ann"},
		{"another prefix", Cookies{Prefix: "shop"}, cookies("shop.session_token="+ann, plain+bob), "ann"},
		{"another name", Cookies{SessionToken: CookieOverride{Name: "sid"}}, cookies(securePrefix+"sid="+ann, plain+bob), "ann"},
		{"__Host- as a name", Cookies{NeverSecure: true, SessionToken: CookieOverride{Name: "__Host-sid"}}, cookies("__Host-sid=" + ann), "ann"},
		{"in quotes", Cookies{}, cookies(plain + `"` + ann + `"`), "ann"},
		{"case matters", Cookies{}, cookies(strings.ToUpper(plain) + ann), ""},
	} {
		sees(t, tt.reason, newVerifier(t, VerifierConfig{Secret: testSecret, Store: w.store, Cookies: tt.cookies}), tt.h, tt.name)
	}
}

// TestVerifierNamesOfCopies: the same for copies.
func TestVerifierNamesOfCopies(t *testing.T) {
	w := newWorld(t, caches(CacheCompact))
	ann, bob := w.as("ann"), w.as("bob")
	v := newVerifier(t, VerifierConfig{Secret: testSecret})
	sees(t, "secure", v, cookies(securePrefix+tokenName+"="+ann.cookies[tokenName], securePrefix+dataName+"="+ann.cookies[dataName]), "ann")
	both := []string{tokenName + "=" + ann.cookies[tokenName], dataName + "=" + ann.cookies[dataName], securePrefix + dataName + "=" + bob.cookies[dataName]}
	sees(t, "the secure copy wins and is not that of the token", v, cookies(both...), "")
	sees(t, "other names", newVerifier(t, VerifierConfig{Secret: testSecret, Cookies: Cookies{SessionData: CookieOverride{Name: "copy"}}}),
		cookies(both[0], "copy="+ann.cookies[dataName]), "ann")
}

// TestVerifierRevocation: a copy outlives its session by its age at most;
// IgnoreCopies does not wait.
func TestVerifierRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, strategy := range []CacheStrategy{CacheCompact, CacheJWT, CacheJWE} {
			w := newWorld(t, caches(strategy))
			ann := w.as("ann")
			lazy := newVerifier(t, VerifierConfig{Secret: testSecret, Store: w.store})
			strict := newVerifier(t, VerifierConfig{Secret: testSecret, Store: w.store, IgnoreCopies: true})
			sees(t, "before", strict, ann.headers(), "ann")
			before := ann.headers()
			ann.post("/sign-out", "{}").ok(t)
			sees(t, "copy", lazy, before, "ann")
			sees(t, "no copy", strict, before, "")
			time.Sleep(5*time.Minute + time.Second)
			sees(t, "old copy", lazy, before, "")
		}
	})
}

// TestVerifierExpiry: neither a copy nor a row is good beyond the end.
func TestVerifierExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, strategy := range []CacheStrategy{CacheCompact, CacheJWT, CacheJWE} {
			w := newWorld(t, caches(strategy), func(c *Config) {
				c.Session.ExpiresIn, c.Session.CookieCache.MaxAge = time.Hour, 2*time.Hour
			})
			ann := w.as("ann")
			copies := newVerifier(t, VerifierConfig{Secret: testSecret})
			stored := newVerifier(t, VerifierConfig{Secret: testSecret, Store: w.store, IgnoreCopies: true})
			time.Sleep(59 * time.Minute)
			sees(t, "copy", copies, ann.headers(), "ann")
			sees(t, "row", stored, ann.headers(), "ann")
			time.Sleep(2 * time.Minute)
			sees(t, "copy of an old session", copies, ann.headers(), "")
			sees(t, "old row", stored, ann.headers(), "")
		}
	})
}

func TestVerifierVersion(t *testing.T) {
	byName := func(_ *Session, u *User) string { return "of " + u.Name }
	for _, tt := range []struct {
		reason    string
		made      CookieCache
		version   string
		function  func(*Session, *User) string
		wantsName string
	}{
		{"the default", CookieCache{}, "", nil, "ann"},
		{"the default, spelled out", CookieCache{}, "1", nil, "ann"},
		{"another one", CookieCache{}, "2", nil, ""},
		{"the default does not take another one", CookieCache{Version: "2"}, "", nil, ""},
		{"a function", CookieCache{VersionFunc: byName}, "", byName, "ann"},
		{"another function", CookieCache{VersionFunc: byName}, "", func(*Session, *User) string { return "x" }, ""},
	} {
		w := newWorld(t, func(c *Config) { tt.made.Enabled = true; c.Session.CookieCache = tt.made })
		v := newVerifier(t, VerifierConfig{Secret: testSecret, Version: tt.version, VersionFunc: tt.function})
		sees(t, tt.reason, v, w.as("ann").headers(), tt.wantsName)
	}
}

// TestVerifierRotation: what any of the secrets signed is accepted.
func TestVerifierRotation(t *testing.T) {
	const second = "the second secret, 32 bytes long"
	for _, strategy := range []CacheStrategy{CacheCompact, CacheJWT, CacheJWE} {
		w := newWorld(t, caches(strategy))
		ann := w.as("ann")
		both := []Secret{{2, second}, {1, testSecret}}
		sees(t, "copy", newVerifier(t, VerifierConfig{Secrets: both}), ann.headers(), "ann")
		sees(t, "row", newVerifier(t, VerifierConfig{Secrets: both, Store: w.store, IgnoreCopies: true}), ann.headers(), "ann")
		sees(t, "Secret beside Secrets", newVerifier(t, VerifierConfig{Secrets: both[:1], Secret: testSecret}), ann.headers(), "ann")
		sees(t, "gone", newVerifier(t, VerifierConfig{Secrets: both[:1], Store: w.store}), ann.headers(), "")
	}
}

// TestVerifierStateless: the copies are all there is.
func TestVerifierStateless(t *testing.T) {
	w := newWorld(t, stateless)
	ann := w.as("ann")
	sees(t, "secret", newVerifier(t, VerifierConfig{Secret: testSecret}), ann.headers(), "ann")
	sees(t, "URL", newVerifier(t, VerifierConfig{URL: w.listen()}), ann.headers(), "ann")
}

// TestVerifierFields: additional columns have their types, hidden ones stay
// hidden.
func TestVerifierFields(t *testing.T) {
	fields := []Column{
		{Name: "birthday", Type: TypeDate, Optional: true},
		{Name: "note", Type: TypeString, Optional: true, Hidden: true},
	}
	w := newWorld(t, caches(CacheCompact), func(c *Config) { c.User.Fields = fields })
	ann := w.browser()
	body := credentials("ann")
	body["birthday"], body["note"] = "1980-12-10T01:02:03.456Z", "secret"
	ann.post("/sign-up/email", body).ok(t)
	want := map[string]any{"birthday": time.Date(1980, 12, 10, 1, 2, 3, 456e6, time.UTC)}
	for name, config := range map[string]VerifierConfig{
		"copy":  {Secret: testSecret},
		"store": {Secret: testSecret, Store: w.store, IgnoreCopies: true},
		"URL":   {URL: w.listen()},
	} {
		config.UserFields = fields
		data, err := newVerifier(t, config).Session(&http.Request{Header: ann.headers()})
		if err != nil || data == nil || !reflect.DeepEqual(data.User.Fields, want) {
			t.Errorf("%s: %+v, %v", name, data, err)
		}
	}
}

// TestVerifierRequireSession: with and without a session, and when nobody can
// tell, a client sees what Auth.RequireSession shows it.
func TestVerifierRequireSession(t *testing.T) {
	store := &brokenStore{Store: NewMemoryStore()}
	w := newWorld(t, func(c *Config) { c.Store = store })
	ann := w.as("ann")
	var log bytes.Buffer
	v := newVerifier(t, VerifierConfig{Secret: testSecret, Store: store, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, SessionFromContext(r.Context()).User.Name)
	})
	for reason, cookie := range map[string]string{"nobody": "", "forged": tokenName + "=" + flip(ann.cookies[tokenName]), "ann": ann.cookieHeader()} {
		for _, broken := range []bool{false, true} {
			store.broken = broken
			want := serve(w.RequireSession(h), "GET", "/me", "", "Cookie", cookie)
			got := serve(v.RequireSession(h), "GET", "/me", "", "Cookie", cookie)
			if got.Code != want.Code || got.Body.String() != want.Body.String() || !reflect.DeepEqual(got.Header(), want.Header()) {
				t.Errorf("%s, broken %v: %d %s %v\nwant %d %s %v", reason, broken, got.Code, got.Body, got.Header(), want.Code, want.Body, want.Header())
			}
		}
	}
	if text := log.String(); !strings.Contains(text, errSecret.Error()) || strings.Contains(text, ann.cookies[tokenName][:20]) {
		t.Errorf("log: %s", text)
	}
	store.broken = false
	own := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Cache-Control", "private")
		v.RequireSession(h).ServeHTTP(rw, r)
	})
	if rec := serve(own, "GET", "/me", "", "Cookie", ann.cookieHeader()); rec.Header().Get("Cache-Control") != "private" {
		t.Errorf("the page's own header was replaced: %v", rec.Header())
	}
}

func TestNewVerifierMistakes(t *testing.T) {
	store, kv := NewMemoryStore(), NewMemorySecondaryStorage()
	for _, tt := range []struct {
		config VerifierConfig
		want   []string
	}{
		{VerifierConfig{}, []string{"needs a Secret or the URL"}},
		{VerifierConfig{Store: store}, []string{"Secret is missing"}},
		{VerifierConfig{SecondaryStorage: kv}, []string{"Secret is missing"}},
		{VerifierConfig{Secret: "short"}, []string{"VerifierConfig.Secret has 5 bytes"}},
		{VerifierConfig{Secrets: []Secret{{-1, "short"}}}, []string{"VerifierConfig.Secrets[0] has 5", "version -1"}},
		{VerifierConfig{Secret: testSecret, Store: store, URL: testBase}, []string{"both a storage and a URL"}},
		{VerifierConfig{Secret: testSecret, IgnoreCopies: true}, []string{"IgnoreCopies needs"}},
		{VerifierConfig{Secret: testSecret, HTTPClient: http.DefaultClient}, []string{"HTTPClient needs a URL"}},
		{VerifierConfig{URL: "example.com"}, []string{`VerifierConfig.URL "example.com" is no absolute`}},
		{VerifierConfig{URL: testBase + "?x=1"}, []string{"more than scheme"}},
		{VerifierConfig{URL: "https://user:password@example.com"}, []string{"more than scheme"}},
		{VerifierConfig{URL: testBase, Version: "2"}, []string{"Version needs a Secret"}},
		{VerifierConfig{Secret: testSecret, Version: "2", VersionFunc: func(*Session, *User) string { return "" }}, []string{"both Version"}},
		{VerifierConfig{Secret: testSecret, UserFields: []Column{{Name: "email"}}}, []string{"table user"}},
		{
			VerifierConfig{URL: "x", Cookies: Cookies{AlwaysSecure: true, NeverSecure: true, Prefix: "bad prefix"}, SessionFields: []Column{{Name: "token"}}},
			[]string{"URL", "AlwaysSecure", `"__Secure-bad prefix.session_token"`, "bad prefix.session_data", "table session"},
		},
	} {
		v, err := NewVerifier(tt.config)
		for _, want := range tt.want {
			if v != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: error %v does not mention %s", tt.config, err, want)
			}
		}
	}
}

// FuzzVerifierSession: whatever a stranger sends is no failure, and nobody is seen but
// ann, who alone has a session.
func FuzzVerifierSession(f *testing.F) {
	store := NewMemoryStore()
	a, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: store, EmailPassword: EmailPassword{Enabled: true}, Passwords: Passwords{Hasher: plainHasher{}}, Session: SessionOptions{CookieCache: CookieCache{Enabled: true}}})
	if err != nil {
		f.Fatal(err)
	}
	var set http.Header
	if _, err = a.API.SignUpEmail.Call(f.Context(), SignUpEmailRequest{Name: "ann", Email: "ann@example.com", Password: "password of ann"}, ReturnHeaders(&set)); err != nil {
		f.Fatal(err)
	}
	var sent []string
	for _, line := range set["Set-Cookie"] {
		pair, _, _ := strings.Cut(line, ";")
		sent = append(sent, pair)
	}
	value := strings.TrimPrefix(sent[0], tokenName+"=")
	var verifiers []*Verifier
	for _, config := range []VerifierConfig{{Secret: testSecret}, {Secret: testSecret, Store: store}} {
		v, err := NewVerifier(config)
		if err != nil {
			f.Fatal(err)
		}
		verifiers = append(verifiers, v)
	}
	f.Add(strings.Join(sent, "; "), "")
	f.Add("", "Bearer "+decodeURIComponent(value))
	f.Add(securePrefix+strings.Join(sent, ";"), "bearer x.y")
	f.Add(dataName+".0=a; "+dataName+".1=..;;=; "+sent[0], "Basic")
	f.Add(tokenName+`="%"; `+tokenName+"=.", "Bearer  .")
	f.Fuzz(func(t *testing.T, cookie, authorization string) {
		h := http.Header{"Cookie": {cookie}, "Authorization": {authorization}}
		for _, v := range verifiers {
			data, err := v.Session(&http.Request{Header: h})
			if err != nil || data != nil && data.User.Name != "ann" {
				t.Fatalf("%+v, %v", data, err)
			}
		}
	})
}
