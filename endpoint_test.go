package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type item struct {
	ID     string    `path:"id"`
	Name   string    `json:"name"`
	Price  float64   `json:"price,omitempty"`
	Count  int       `json:"count,omitempty"`
	Tags   []string  `json:"tags,omitempty"`
	Note   *string   `json:"note"` // required, may be null
	Due    time.Time `json:"due,omitzero"`
	Dry    bool      `query:"dry,omitempty"`
	Page   int       `query:"page,omitempty"`
	Only   []string  `query:"only,omitempty"`
	Trace  string    `header:"X-Trace,omitempty"`
	Secret string    `json:"-"`

	Address struct {
		City string `json:"city"`
	} `json:"address,omitzero"`
}

func (i *item) Validate() error {
	if i.Price < 0 {
		return errors.New("price must not be negative")
	}
	return nil
}

func echo(_ context.Context, in item) (item, error) { return in, nil }

func serve(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

func TestDecoding(t *testing.T) {
	var got item
	e := NewEndpoint("POST", "/items/:id", func(_ context.Context, in item) (Empty, error) {
		got = in
		return Empty{}, nil
	})
	mux := http.NewServeMux()
	mux.Handle("POST /items/{id}", e)
	rec := serve(mux, "POST", "/items/7?dry=true&page=2&only=a&only=b",
		`{"name":"N","price":1.5,"count":3,"tags":["x","y"],"note":null,"due":"2026-01-02T03:04:05Z","address":{"city":"Z"},"Secret":"no","-":"no","unknown":[1]}`,
		"Content-Type", "application/json; charset=utf-8", "X-Trace", "t1")
	if rec.Code != 200 {
		t.Fatal(rec.Code, rec.Body)
	}
	want := item{ID: "7", Name: "N", Price: 1.5, Count: 3, Tags: []string{"x", "y"}, Due: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Dry: true, Page: 2, Only: []string{"a", "b"}, Trace: "t1"}
	want.Address.City = "Z"
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("decoded %s\nwant %s", g, w)
	}
}

func TestValidationMessages(t *testing.T) {
	e := NewEndpoint("POST", "/items", echo)
	for _, tt := range []struct{ target, body, message, reason string }{
		{"/", `{}`, "[body.name] Invalid input: expected string, received undefined; [body.note] Invalid input: expected string, received undefined", "missing"},
		{"/", ``, "[body] Invalid input: expected object, received undefined", "no body"},
		{"/", ` [1]`, "[body] Invalid input: expected object, received array", "an array"},
		{"/", `null`, "[body] Invalid input: expected object, received null", "null"},
		{"/", `"x"`, "[body] Invalid input: expected object, received string", "a string"},
		{"/", `-1`, "[body] Invalid input: expected object, received number", "a number"},
		{"/", `1e400 `, "[body] Invalid input: expected object, received Infinity", "a number beyond float64"},
		{"/", `true`, "[body] Invalid input: expected object, received boolean", "a boolean"},
		{"/", `{"name":null,"note":"n"}`, "[body.name] Invalid input: expected string, received null", "null for a string"},
		{"/", `{"name":-1e400,"note":"n","price":1e400}`, "[body.name] Invalid input: expected string, received -Infinity; [body.price] Invalid input: expected number, received Infinity", "numbers beyond float64"},
		{"/", `{"name":{},"note":"n"}`, "[body.name] Invalid input: expected string, received object", "an object for a string"},
		{"/", `{"name":"n","note":1,"price":"1"}`, "[body.price] Invalid input: expected number, received string; [body.note] Invalid input: expected string, received number", "in the order of the fields"},
		{"/", `{"name":"n","note":"n","tags":{}}`, "[body.tags] Invalid input: expected array, received object", "an object for an array"},
		{"/", `{"name":"n","note":"n","tags":[1]}`, "[body.tags.0] Invalid input: expected string, received number", "wrong inside"},
		{"/", `{"name":"n","note":"n","tags":null}`, "[body.tags] Invalid input: expected array, received null", "null for an optional array"},
		{"/", `{"name":"n","note":"n","count":1.5}`, "[body.count] Invalid input", "no integer"},
		{"/", `{"name":"n","note":"n","due":"yesterday"}`, "[body.due] Invalid input", "no date"},
		{"/", `{"Name":"n","NOTE":"n"}`, "[body.name] Invalid input: expected string, received undefined; [body.note] Invalid input: expected string, received undefined", "names are exact"},
		{"/", `{"name":1,"name":"n","note":"n","price":-1}`, "price must not be negative", "the last of two counts; Validate speaks"},
		{"/?page=x", `{"name":"n","note":"n"}`, "[query.page] Invalid input: expected number, received string", "a word for a number in the query"},
		{"/?dry=maybe", `{"name":"n","note":"n"}`, "[query.dry] Invalid input: expected boolean, received string", "a word for a boolean in the query"},
		{"/?page=1&page=2", `{"name":"n","note":"n"}`, "[query.page] Invalid input: expected number, received array", "a repeated parameter"},
	} {
		mux := http.NewServeMux()
		mux.Handle("/", e)
		r := httptest.NewRequest("POST", tt.target, strings.NewReader(tt.body))
		r.Header.Set("Content-Type", "application/json")
		r.SetPathValue("id", "7")
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, r)
		var got struct{ Message, Code string }
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %s", tt.reason, rec.Body)
		}
		if rec.Code != 400 || got.Message != tt.message || got.Code != "VALIDATION_ERROR" {
			t.Errorf("%s: %d %s %q, want %q", tt.reason, rec.Code, got.Code, got.Message, tt.message)
		}
	}
}

func TestBodies(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxBodyBytes = 1000 })
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	long := newWorld(t, func(c *Config) { c.MaxBodyBytes = 1 << 20 })
	valid := `{"email":"a@b.co","password":"x"}`
	for _, tt := range []struct {
		w                  *world
		path, media, body  string
		status             int
		code, text, reason string
	}{
		{w, "/sign-in/email", "application/json", valid, 401, "INVALID_EMAIL_OR_PASSWORD", "", "JSON"},
		{w, "/sign-in/email", " Application/JSON ; charset=utf-8", valid, 401, "INVALID_EMAIL_OR_PASSWORD", "", "the media type is not case-sensitive"},
		{w, "/sign-in/email", "application/x-www-form-urlencoded", "email=a%40b.co&password=wrong&password=x", 401, "INVALID_EMAIL_OR_PASSWORD", "", "a form"},
		{w, "/sign-in/email", "application/x-www-form-urlencoded", "email=a%40b.co&password=x&rememberMe=false", 400, "VALIDATION_ERROR", "[body.rememberMe] Invalid input: expected boolean, received string", "a form has strings only"},
		{w, "/verify-password", "application/x-www-form-urlencoded", "password=x", 415, "UNSUPPORTED_MEDIA_TYPE", `Content-Type "application/x-www-form-urlencoded" is not allowed. Allowed types: application/json`, "forms only where the contract says"},
		{w, "/sign-in/email", "text/plain", valid, 415, "UNSUPPORTED_MEDIA_TYPE", `Content-Type "text/plain" is not allowed. Allowed types: application/x-www-form-urlencoded, application/json`, "another type"},
		{w, "/sign-in/email", `a"b\c`, valid, 415, "UNSUPPORTED_MEDIA_TYPE", `Content-Type "a"b\c" is not allowed. Allowed types: application/x-www-form-urlencoded, application/json`, "no type at all, quoted as it is"},
		{w, "/sign-in/email", "application/x-www-form-urlencoded", "?email=a%40b.co&password=x", 401, "INVALID_EMAIL_OR_PASSWORD", "", "a form that was copied from an address"},
		{w, "/revoke-sessions", "application/vnd.x+json", "{}", 415, "UNSUPPORTED_MEDIA_TYPE", "", "even where no body is expected"},
		{w, "/sign-in/email", "", valid, 400, "VALIDATION_ERROR", "[body] Invalid input: expected object, received undefined", "without a type there is no body"},
		{w, "/sign-in/email", "application/json", "", 400, "VALIDATION_ERROR", "", "an empty body is none"},
		{w, "/sign-in/email", "application/json", `{"email":`, 400, "BAD_REQUEST", "Invalid JSON in request body", "cut off"},
		{w, "/sign-in/email", "application/json", valid + "x", 400, "BAD_REQUEST", "", "something after the value"},
		{w, "/sign-in/email", "application/json", valid + strings.Repeat(" ", 1000), 413, "PAYLOAD_TOO_LARGE", "", "too large"},
		{long, "/sign-in/email", "application/json", deep, 400, "BAD_REQUEST", "", "too deep"},
		{w, "/get-session", "text/plain", "anything", 405, "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED", "", "get-session ignores its body"},
	} {
		b := tt.w.browser()
		r := httptest.NewRequest("POST", testBase+tt.path, strings.NewReader(tt.body))
		if tt.media != "" {
			r.Header.Set("Content-Type", tt.media)
		}
		got := b.do(r).fails(t, tt.status, Code(tt.code))
		if message := got.field(t, "message"); tt.text != "" && message != tt.text {
			t.Errorf("%s: message %q, want %q", tt.reason, message, tt.text)
		}
	}
}

// TestLenientInput: what the original's platform reads without complaint.
func TestLenientInput(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.User.Fields = []Column{
			{Name: "age", Type: TypeNumber, Optional: true}, {Name: "vip", Type: TypeBoolean, Optional: true}, {Name: "born", Type: TypeDate, Optional: true},
		}
	})
	b := w.browser()
	b.post("/sign-out", "\uFEFF {}").ok(t)                                                             // a byte order mark
	b.get("/verify-email?token=a;b").fails(t, 401, ErrInvalidToken)                                    // a semicolon is no separator
	b.get("/verify-email?token=%zz").fails(t, 401, ErrInvalidToken)                                    // a stray percent sign stands for itself
	b.get("/get-session?disableRefresh=a&disableRefresh=b").ok(t)                                      // an array is true
	if page := b.get("/error?error=a&error=b").ok(t).body; !strings.Contains(page, "<code>a</code>") { // a page for people
		t.Errorf("of two codes the page does not show the first: %s", page)
	}
	b.get("/./ok").fails(t, 404, "")                                                            // but not dot segments,
	b.get("/reset-password/%2E%2e?callbackURL=/x").fails(t, 404, "")                            // in no spelling
	b.post("/sign-out?callbackURL=/a&callbackURL=https://evil.example", "{}").fails(t, 400, "") // nor two targets

	r := httptest.NewRequest("POST", testBase+"/sign-up/email", strings.NewReader("name=%zz%41&email=a@b.co&password=password&age=7&vip=true&born=2000-01-02"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got := b.do(r).ok(t)
	if got.field(t, "user.name") != "%zzA" || got.field(t, "user.age") != 7.0 || got.field(t, "user.vip") != true || got.field(t, "user.born") != "2000-01-02T00:00:00.000Z" {
		t.Errorf("%s", got.body)
	}
}

// TestLocationIsASCII: a header has no other characters.
func TestLocationIsASCII(t *testing.T) {
	w := newWorld(t)
	w.as("ann")
	body := credentials("ann")
	body["callbackURL"] = "/日 本"
	r := w.browser().post("/sign-in/email", body).ok(t)
	if r.Header.Get("Location") != "/%E6%97%A5%20%E6%9C%AC" || r.field(t, "url") != "/日 本" {
		t.Errorf("%s %v", r.body, r.Header)
	}
}

// blocked is a body of which nothing arrives.
type blocked struct{ end chan struct{} }

func (b blocked) Read([]byte) (int, error) { <-b.end; return 0, io.EOF }
func (b blocked) Close() error             { return nil }

// TestBodyIsNotReservedInAdvance: headers alone hold no memory for a body.
func TestBodyIsNotReservedInAdvance(t *testing.T) {
	w := newWorld(t)
	const n = 100
	b := blocked{make(chan struct{})}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var wg sync.WaitGroup
	for range n {
		r := httptest.NewRequest("POST", testBase+"/sign-out", b)
		r.ContentLength = 1 << 20
		r.Header.Set("Content-Type", "application/json")
		wg.Go(func() { w.ServeHTTP(httptest.NewRecorder(), r) })
	}
	time.Sleep(200 * time.Millisecond)
	runtime.GC()
	runtime.ReadMemStats(&after)
	close(b.end)
	wg.Wait()
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > n*(64<<10) {
		t.Errorf("%d idle requests that sent headers only hold %d MiB", n, grown>>20)
	}
}

// TestCutOffBody: a body shorter than its length is no body.
func TestCutOffBody(t *testing.T) {
	r := httptest.NewRequest("POST", testBase+"/sign-in/email", strings.NewReader(`{"email":"a@b.co","password":"x"}`))
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = 1000
	newWorld(t).browser().do(r).fails(t, 400, ErrBadRequest)
}

// TestBodyLimitWithoutLength: a body of unknown length is cut off too.
func TestBodyLimitWithoutLength(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest("POST", testBase+"/sign-in/email", bytes.NewReader(make([]byte, defaultBodyLimit+1)))
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = -1
	w.browser().do(r).fails(t, 413, ErrPayloadTooLarge)
}

func TestOutcomes(t *testing.T) {
	type kind struct {
		Kind string `json:"kind"`
	}
	e := NewEndpoint("POST", "/", func(ctx context.Context, in kind) (map[string]any, error) {
		x := ExchangeFrom(ctx)
		x.Header().Add("Set-Cookie", "a=1")
		x.Header().Add("Set-Cookie", "b=2")
		switch in.Kind {
		case "status":
			x.SetStatus(http.StatusCreated)
		case "redirect":
			return nil, x.Redirect("/elsewhere")
		case "api":
			return nil, NewError(409, "TAKEN", "Taken <already>").WithCause(errSecret)
		case "code":
			return nil, ErrInvalidToken
		case "empty":
			return nil, &APIError{Status: 404}
		case "internal":
			return nil, fmt.Errorf("wrapped: %w", errSecret)
		case "unencodable":
			return map[string]any{"f": func() {}}, nil
		case "hop":
			x.Header().Set("Content-Length", "7")
			x.Header().Set("Transfer-Encoding", "chunked")
			x.Header().Set("X-Kept", "yes")
		case "null":
			return nil, nil
		}
		return map[string]any{"html": "<&>"}, nil
	})
	for _, tt := range []struct {
		kind   string
		status int
		body   string
		media  string
	}{
		{"", 200, `{"html":"<&>"}`, "application/json"},
		{"status", 201, `{"html":"<&>"}`, "application/json"},
		{"null", 200, `null`, "application/json"},
		{"redirect", 302, ``, "application/json"},
		{"api", 409, `{"message":"Taken <already>","code":"TAKEN"}`, "application/json"},
		{"code", 400, `{"message":"Invalid token","code":"INVALID_TOKEN"}`, "application/json"},
		{"empty", 404, ``, "application/json"},
		{"internal", 500, ``, ""},
		{"unencodable", 500, ``, ""},
		{"hop", 200, `{"html":"<&>"}`, "application/json"},
	} {
		rec := serve(e, "POST", "/", `{"kind":"`+tt.kind+`"}`, "Content-Type", "application/json")
		h := rec.Header()
		if rec.Code != tt.status || rec.Body.String() != tt.body || h.Get("Content-Type") != tt.media {
			t.Errorf("%q: %d %q %q", tt.kind, rec.Code, rec.Body, h.Get("Content-Type"))
		}
		if got := h["Set-Cookie"]; len(got) != 2 {
			t.Errorf("%q: cookies %v were lost", tt.kind, got)
		}
		if h.Get("Transfer-Encoding") != "" || h.Get("Content-Length") == "7" || tt.kind == "hop" && h.Get("X-Kept") != "yes" {
			t.Errorf("%q: headers %v", tt.kind, h)
		}
	}
}

// TestRedirectOfCall: whoever only looks at the error has the cookies too, and
// whoever asks for the headers gets each cookie once.
func TestRedirectOfCall(t *testing.T) {
	e := NewEndpoint("POST", "/", func(ctx context.Context, _ Empty) (Empty, error) {
		x := ExchangeFrom(ctx)
		x.Header().Add("Set-Cookie", "a=1")
		return Empty{}, x.Redirect("/elsewhere")
	})
	var header http.Header
	var resp *http.Response
	_, plain := e.Call(t.Context(), Empty{})
	_, err := e.Call(t.Context(), Empty{}, ReturnHeaders(&header))
	if _, err := e.Call(t.Context(), Empty{}, AsResponse(&resp)); err != nil {
		t.Error(err)
	}
	for name, h := range map[string]http.Header{
		"plain": apiError(plain).Header, "with headers": apiError(err).Header, "ReturnHeaders": header, "AsResponse": resp.Header,
	} {
		if len(h["Set-Cookie"]) != 1 || h.Get("Location") != "/elsewhere" {
			t.Errorf("%s: %v", name, h)
		}
	}
}

func TestCallOptions(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	var (
		header http.Header
		status int
		resp   *http.Response
	)
	_, err := w.API.SignInEmail.Call(t.Context(), SignInEmailRequest{Email: "ann@example.com", Password: "password of ann"},
		WithHeaders(http.Header{"User-Agent": {"UA"}, "X-Forwarded-For": {"203.0.113.9"}}), ReturnHeaders(&header), ReturnStatus(&status), AsResponse(&resp))
	if err != nil || status != 200 || resp.StatusCode != 200 || len(header["Set-Cookie"]) != 1 || resp.Header.Get("Set-Cookie") != header.Get("Set-Cookie") {
		t.Errorf("%v %d %v %v", err, status, header, resp)
	}
	sessions, err := w.API.ListSessions.Call(t.Context(), Empty{}, WithHeaders(ann.headers()))
	if err != nil || len(sessions) != 2 {
		t.Fatal(sessions, err)
	}
	if s := sessions[1]; *s.IPAddress != "203.0.113.9" || *s.UserAgent != "UA" {
		t.Errorf("the session is of %q, %q", *s.IPAddress, *s.UserAgent)
	}
	rec := httptest.NewRecorder()
	rec.Header().Set("Set-Cookie", "mine=1")
	rec.Header().Set("Content-Type", "text/html")
	_, err = w.API.SignOut.Call(t.Context(), SignOutRequest{}, WithHeaders(ann.headers()), ForwardHeaders(rec))
	if h := rec.Header(); err != nil || len(h["Set-Cookie"]) != 4 || h["Set-Cookie"][0] != "mine=1" || h.Get("Content-Type") != "text/html" {
		t.Errorf("forwarded %v, %v", h, err)
	}
}

// TestFlagsOfDirectCalls: whatever JavaScript takes for true sets one.
func TestFlagsOfDirectCalls(t *testing.T) {
	w := newWorld(t)
	for _, flag := range []string{`"false"`, `1`, `[]`, `""`, `0`, `null`} {
		out, err := w.API.GetSession.CallJSON(t.Context(), []byte(`{"disableRefresh":`+flag+`}`), WithHeaders(http.Header{}))
		if err != nil || string(out) != "null" {
			t.Errorf("%s: %s, %v", flag, out, err)
		}
	}
}

// TestHeadersAreRequired: endpoints that only make sense for a caller with
// cookies say so to Go code that forgot them.
func TestHeadersAreRequired(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"getSession", "signOut", "listSessions", "revokeSessions", "revokeOtherSessions"} {
		_, err := w.API.Operation(name).CallJSON(t.Context(), nil)
		if api := apiError(err); api == nil || api.Status != 400 || api.Message != "Headers is required" || api.Code != ErrValidation {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.API.ListUserAccounts.Call(t.Context(), Empty{}); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("others have no session: %v", err)
	}
}

func TestErrorsAndCodes(t *testing.T) {
	err := error(ErrInvalidPassword.With(400).WithCause(errSecret))
	if !errors.Is(err, ErrInvalidPassword) || errors.Is(err, ErrInvalidEmail) || !errors.Is(err, errSecret) {
		t.Error("errors.Is")
	}
	body, _ := json.Marshal(err)
	if string(body) != `{"message":"Invalid password","code":"INVALID_PASSWORD"}` {
		t.Errorf("body %s", body)
	}
	if errors.Is(&APIError{Status: 404}, Code("")) {
		t.Error("an error without code is not the empty code")
	}
	for code := range codeMessages {
		if code.Message() == "" {
			t.Errorf("%s has no message", code)
		}
	}
}

// TestExchangeFrom: the context is the exchange, and derived contexts know it.
func TestExchangeFrom(t *testing.T) {
	type key struct{}
	e := NewEndpoint("GET", "/", func(ctx context.Context, _ Empty) (bool, error) {
		derived, cancel := context.WithCancel(context.WithValue(ctx, key{}, 1))
		defer cancel()
		x := ExchangeFrom(ctx)
		return x != nil && ExchangeFrom(derived) == x && ctx.Value(key{}) == 2 && derived.Value(key{}) == 1, nil
	})
	ok, err := e.Call(context.WithValue(t.Context(), key{}, 2), Empty{})
	if !ok || err != nil || ExchangeFrom(t.Context()) != nil {
		t.Error(ok, err)
	}
}

// TestExchangeKeepsTheContextContract: an Exchange is a context like any other,
// whatever its endpoint's fate.
func TestExchangeKeepsTheContextContract(t *testing.T) {
	e := NewEndpoint("GET", "/", func(ctx context.Context, _ Empty) (Empty, error) {
		<-ctx.Done()
		derived, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		if ctx.Err() != context.Canceled || derived.Err() != context.Canceled || context.Cause(ctx) != errSecret {
			t.Errorf("in the endpoint: %v, %v, %v", ctx.Err(), derived.Err(), context.Cause(ctx))
		}
		return Empty{}, NewError(409, "TAKEN", "Taken")
	})
	e.operation.after = []Hook{func(x *Exchange) error {
		if x.Err() != context.Canceled || !errors.Is(x.Failure(), Code("TAKEN")) {
			t.Errorf("in the hook: %v, %v", x.Err(), x.Failure())
		}
		return nil
	}}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errSecret)
	if _, err := e.Call(ctx, Empty{}); !errors.Is(err, Code("TAKEN")) {
		t.Error(err)
	}
}

// TestAbortedSignInsFreeTheirPlace: requests that give up while they wait for
// their turn to hash leave nothing behind that blocks others.
func TestAbortedSignInsFreeTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Passwords = Passwords{Hasher: secondHasher{}, MaxConcurrent: 1} })
		w.as("ann")
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
				defer cancel()
				_, _ = w.API.SignInEmail.Call(ctx, SignInEmailRequest{Email: "ann@example.com", Password: "wrong"})
			})
		}
		wg.Wait()
		start := time.Now()
		if w.signIn("ann"); time.Since(start) != time.Second {
			t.Errorf("the next sign-in took %v", time.Since(start))
		}
	})
}

// secondHasher takes a second for every hash.
type secondHasher struct{ plainHasher }

func (h secondHasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	time.Sleep(time.Second)
	return h.plainHasher.Verify(ctx, hash, password)
}

func TestTypedHooks(t *testing.T) {
	type in struct {
		Name string `json:"name"`
	}
	calls := 0
	e := NewEndpoint("POST", "/", func(_ context.Context, i in) (string, error) { calls++; return i.Name, nil })
	e.Before(func(_ context.Context, i *in) error {
		if i.Name == "" {
			i.Name = "default" // mends the missing member
		}
		if i.Name == "bad" {
			return NewError(403, "BAD", "Bad")
		}
		return nil
	})
	e.After(func(_ context.Context, i *in, out *string) error {
		*out += "!"
		if i.Name == "late" {
			return NewError(410, "LATE", "Late")
		}
		return nil
	})
	for _, tt := range []struct{ body, want string }{
		{`{}`, `"default!"`},
		{`{"name":"x"}`, `"x!"`},
		{`{"name":5}`, `"default!"`},
		{`{"name":"bad"}`, `{"message":"Bad","code":"BAD"}`},
		{`{"name":"late"}`, `{"message":"Late","code":"LATE"}`},
	} {
		rec := serve(e, "POST", "/", tt.body, "Content-Type", "application/json")
		if rec.Body.String() != tt.want {
			t.Errorf("%s: %s, want %s", tt.body, rec.Body, tt.want)
		}
	}
	if calls != 4 {
		t.Errorf("the function ran %d times, want 4: a refusing hook keeps it from running", calls)
	}
}

func TestGlobalHooks(t *testing.T) {
	var log []string
	w := newWorld(t, func(c *Config) {
		c.Hooks.Before = func(x *Exchange) error {
			log = append(log, "before "+x.Operation().Name())
			switch x.RequestHeader("X-Test") {
			case "answer":
				x.Answer(map[string]string{"from": "hook"})
			case "refuse":
				x.Header().Set("Set-Cookie", "lost=1")
				return &APIError{Status: 418, Code: "TEAPOT", Header: http.Header{"X-Own": {"kept"}}}
			}
			return nil
		}
		c.Hooks.After = func(x *Exchange) error {
			log = append(log, fmt.Sprintf("after %s %v", x.Operation().Name(), x.Failure() != nil))
			switch x.RequestHeader("X-Test") {
			case "replace":
				x.Answer(map[string]bool{"replaced": true})
			case "fail":
				return NewError(410, "GONE", "Gone")
			}
			return nil
		}
	})
	b := w.browser()
	for _, tt := range []struct {
		test, path string
		status     int
		body, log  string
		reason     string
	}{
		{"", "/ok", 200, `{"ok":true}`, "before ok,after ok false", "around every endpoint"},
		{"", "/list-accounts", 401, `{"message":"Unauthorized","code":"UNAUTHORIZED"}`, "before listUserAccounts,after listUserAccounts true", "failures too"},
		{"", "/verify-email", 400, `{"message":"[query.token] Invalid input: expected string, received undefined","code":"VALIDATION_ERROR"}`, "before verifyEmail,after verifyEmail true", "before validation"},
		{"answer", "/list-accounts", 200, `{"from":"hook"}`, "before listUserAccounts", "an answer skips endpoint and hooks after"},
		{"refuse", "/ok", 418, `{"code":"TEAPOT"}`, "before ok", "a refusal too"},
		{"replace", "/ok", 200, `{"replaced":true}`, "before ok,after ok false", "the result is replaced"},
		{"fail", "/ok", 410, `{"message":"Gone","code":"GONE"}`, "before ok,after ok false", "a hook after can fail"},
		{"fail", "/list-accounts", 401, `{"message":"Gone","code":"GONE"}`, "before listUserAccounts,after listUserAccounts true", "the first failure keeps its status"},
	} {
		log = nil
		b.header.Set("X-Test", tt.test)
		r := b.get(tt.path)
		if r.StatusCode != tt.status || r.body != tt.body || strings.Join(log, ",") != tt.log {
			t.Errorf("%s: %d %s %v", tt.reason, r.StatusCode, r.body, log)
		}
		if tt.test == "refuse" && (r.Header.Get("Set-Cookie") != "" || r.Header.Get("X-Own") != "kept") {
			t.Errorf("%s: only the error's own headers survive, not %v", tt.reason, r.Header)
		}
	}
}

// TestAnswerOfTheWrongType: a hook's answer that is no Res cannot reach a typed
// caller, who must not take it for a success.
func TestAnswerOfTheWrongType(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Hooks.Before = func(x *Exchange) error { x.Answer("text"); return nil }
	})
	if out, err := w.API.OK.Call(t.Context(), Empty{}); out != nil || err == nil || apiError(err) != nil {
		t.Error(out, err)
	}
	if out, err := w.API.OK.CallJSON(t.Context(), nil); string(out) != `"text"` || err != nil {
		t.Error(string(out), err)
	}
}

func TestPanicReachesTheLogOnly(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	w.API.OK.After(func(context.Context, *Empty, **OKResponse) error { panic(http.ErrAbortHandler) })
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("ErrAbortHandler is net/http's and must pass")
		}
	}()
	w.browser().get("/ok")
}

func FuzzDecoding(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"name":"n","note":null}`, `{"name":"\ud800","note":"\u0000"}`, `[{"name":1}]`, `{"name":"n","name":1}`,
		"{\"n\\u0061me\":\"n\",\"note\":\"\xff\"}", `{"name":"n","note":"n","address":{"city":"{\"}"}}`, ` { "name" : "n" , "tags" : [ "]" ] } `,
	} {
		f.Add([]byte(seed))
	}
	e := NewEndpoint("POST", "/", echo)
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.SetPathValue("id", "7")
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, r)
		var want map[string]json.RawMessage // the independent reading
		err := json.Unmarshal(body, &want)
		switch {
		case rec.Code == 200 && (err != nil || want["name"] == nil || want["note"] == nil):
			t.Errorf("accepted %q", body)
		case rec.Code == 200:
			checkEcho(t, rec.Body.Bytes(), want)
		case rec.Code != 400:
			t.Errorf("%q is answered with %d", body, rec.Code)
		}
	})
}

// checkEcho compares what was decoded with the independent reading.
func checkEcho(t *testing.T, echoed []byte, want map[string]json.RawMessage) {
	var got struct {
		Name string  `json:"name"`
		Note *string `json:"note"`
	}
	if err := json.Unmarshal(echoed, &got); err != nil {
		t.Fatal(err)
	}
	var name string
	var note *string
	if json.Unmarshal(want["name"], &name) != nil || json.Unmarshal(want["note"], &note) != nil {
		t.Fatalf("accepted %s", want)
	}
	if got.Name != name || (note == nil) != (got.Note == nil) || note != nil && *note != *got.Note {
		t.Errorf("decoded %q %v, want %q %v", got.Name, got.Note, name, note)
	}
}

// TestAnswerAfterFailure: a hook replaces the body, the status stays.
func TestAnswerAfterFailure(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Hooks.After = func(x *Exchange) error {
			if x.Failure() != nil {
				x.Answer(map[string]string{"mine": "yes"})
			}
			return nil
		}
	})
	r := w.browser().post("/revoke-sessions", "{}")
	if r.StatusCode != 401 || r.body != `{"mine":"yes"}` {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// TestTextsOfOtherTypes: query parameters and headers of types beyond strings.
func TestTextsOfOtherTypes(t *testing.T) {
	type in struct {
		IDs   []int            `query:"ids,omitempty"`
		Since time.Time        `query:"since,omitzero"`
		At    Optional[string] `query:"at,omitzero"`
	}
	e := NewEndpoint("GET", "/x", func(_ context.Context, i in) (string, error) {
		return fmt.Sprint(i.IDs, i.Since.Year(), i.At), nil
	})
	for target, want := range map[string]string{
		"/x?ids=1&ids=2&since=2026-01-01T00:00:00Z&at=abc": `"[1 2] 2026 {abc true false}"`,
		"/x?ids=1&ids=x": `{"message":"[query.ids] Invalid input: expected array, received string","code":"VALIDATION_ERROR"}`,
		"/x?since=then":  `{"message":"[query.since] Invalid input","code":"VALIDATION_ERROR"}`,
	} {
		if rec := serve(e, "GET", target, ""); rec.Body.String() != want {
			t.Errorf("%s: %s", target, rec.Body)
		}
	}
}

type badJSON struct{}

func (badJSON) MarshalJSON() ([]byte, error) { panic("marshal") }

// TestNothingPanicsWhileWriting: a result that cannot be encoded is a 500 at
// worst, never a dead connection.
func TestNothingPanicsWhileWriting(t *testing.T) {
	want := map[string]int{"nil *Session": 200, "half SessionData": 200, "nil *Raw": 200, "MarshalJSON": 500, "no status": 500}
	for name, h := range map[string]http.Handler{
		"nil *Session":     NewEndpoint("GET", "/x", func(context.Context, Empty) (*Session, error) { return nil, nil }),
		"half SessionData": NewEndpoint("GET", "/x", func(context.Context, Empty) (*SessionData, error) { return &SessionData{}, nil }),
		"nil *Raw":         NewEndpoint("GET", "/x", func(context.Context, Empty) (*Raw, error) { return nil, nil }),
		"MarshalJSON":      NewEndpoint("GET", "/x", func(context.Context, Empty) (badJSON, error) { return badJSON{}, nil }),
		"no status":        NewEndpoint("GET", "/x", func(context.Context, Empty) (int, error) { return 0, &APIError{Message: "no"} }),
	} {
		if rec := serve(h, "GET", "/x", ""); rec.Code != want[name] {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
}

// TestGuardsMayPanic: so is a panic of what the configuration plugs in.
func TestGuardsMayPanic(t *testing.T) {
	origins := newWorld(t, func(c *Config) { c.TrustedOriginsFunc = func(*http.Request) []string { panic("origins") } })
	limits := newWorld(t, func(c *Config) { c.RateLimit = RateLimit{Storage: panickingLimits{}} })
	for name, w := range map[string]*world{"origins": origins, "limits": limits} {
		b := w.browser()
		b.header.Set("Origin", "https://elsewhere.example")
		if r := b.post("/sign-in/email", credentials("ann")); r.StatusCode != 500 || r.body != "" || !strings.Contains(w.log.String(), "panic") {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
		}
	}
}

type panickingLimits struct{}

func (panickingLimits) Consume(context.Context, string, RateRule) (time.Duration, bool, error) {
	panic("limits")
}

// TestManyMembers: a body of very many members costs no more than it should.
func TestManyMembers(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"accountId":"x"`)
	for i := range 90000 {
		fmt.Fprintf(&body, `,"%05x":0`, i)
	}
	r := newWorld(t).browser().post("/get-access-token", body.String()+"}").fails(t, 400, ErrValidation)
	if !strings.Contains(r.body, `\"15f8f\"`) {
		t.Error("the last member is not named")
	}
}

// TestMethodsAreACopy: nobody changes the routing through them.
func TestMethodsAreACopy(t *testing.T) {
	w := newWorld(t)
	w.API.OK.Methods()[0] = "POST"
	w.browser().get("/ok").ok(t)
}

// TestEndpointMethods: what has the types of an endpoint is small. Methods of the value
// would stand in a second table of every Endpoint type, those of an embedded operation
// in both.
func TestEndpointMethods(t *testing.T) {
	if n := reflect.TypeFor[Endpoint[Empty, Empty]]().NumMethod(); n != 0 {
		t.Errorf("an Endpoint has %d methods without a pointer", n)
	}
}
