package auth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
)

// A doorCase is one input that is sent through every door of an endpoint, each
// time to an instance that has been prepared in the same way.
type doorCase struct {
	op     string
	input  string // JSON object; for a GET its members become the query
	as     string // "", "ann" (signed in), "forged"
	broken bool   // the store fails
	wire   bool   // the input cannot be said in Go types
	want   int    // HTTP status
}

// doorCases have, for every endpoint, its success, where a user with only a
// password can have one, and its kinds of failure: validation, no session, a
// refusal, a redirect, a store that cannot be read. $session, $reset and $delete
// stand for secrets of ann.
var doorCases = []doorCase{
	{op: "ok", want: 200},
	{op: "error", input: `{"error":"x"}`, want: 200},
	{op: "signUpEmail", input: `{"name":"Bob","email":"bob@example.com","password":"password"}`, want: 200},
	{op: "signUpEmail", input: `{"name":"Bob","email":"bob@example.com","password":"password","rememberMe":false}`, want: 200},
	{op: "signUpEmail", input: `{"name":"Ann","email":"ann@example.com","password":"password"}`, want: 422},
	{op: "signUpEmail", input: `{"name":"Bob","email":"bob","password":""}`, want: 400},
	{op: "signUpEmail", input: `{"name":5}`, wire: true, want: 400},
	{op: "signUpEmail", input: `{"name":"Bob","email":"bob@example.com","password":"password"}`, broken: true, want: 500},
	{op: "signInEmail", input: `{"email":"ann@example.com","password":"password of ann"}`, want: 200},
	{op: "signInEmail", input: `{"email":"ann@example.com","password":"password of ann","callbackURL":"/dash"}`, want: 200},
	{op: "signInEmail", input: `{"email":"ann@example.com","password":"wrong"}`, want: 401},
	{op: "signInEmail", input: `{"email":"ann","password":"wrong"}`, want: 400},
	{op: "signInEmail", input: `{"email":"ann@example.com","password":"password of ann"}`, broken: true, want: 500},
	{op: "signInSocial", input: `{"provider":"acme","callbackURL":"/in"}`, want: 200},
	{op: "signInSocial", input: `{"provider":"acme","disableRedirect":true}`, want: 200},
	{op: "signInSocial", input: `{"provider":"unknown"}`, want: 404},
	{op: "signInSocial", input: `{"provider":"acme","additionalParams":{"state":"x"}}`, wire: true, want: 400},
	{op: "signInSocial", input: `{"provider":"acme"}`, broken: true, want: 500},
	{op: "callbackOAuth", input: `{"id":"acme","code":"x"}`, want: 302},
	{op: "callbackOAuth", input: `{"id":"acme","code":"x","state":"unknown"}`, want: 302},
	{op: "callbackOAuth", input: `{"id":"acme","code":"x","state":"unknown"}`, broken: true, want: 302},
	{op: "linkSocialAccount", input: `{"provider":"acme"}`, as: "ann", want: 200},
	{op: "linkSocialAccount", input: `{"provider":"unknown"}`, as: "ann", want: 404},
	{op: "linkSocialAccount", input: `{"provider":"acme"}`, as: "forged", want: 401},
	{op: "signOut", as: "ann", want: 200},
	{op: "signOut", as: "forged", want: 200},
	{op: "getSession", as: "ann", want: 200},
	{op: "getSession", as: "forged", want: 200},
	{op: "getSession", as: "ann", broken: true, want: 500},
	{op: "updateSession", input: `{"theme":"dark"}`, as: "ann", want: 200},
	{op: "updateSession", input: `{}`, as: "ann", want: 400},
	{op: "updateSession", input: `{"theme":"dark"}`, as: "forged", want: 401},
	{op: "listSessions", as: "ann", want: 200},
	{op: "listSessions", as: "forged", want: 401},
	{op: "listSessions", as: "ann", broken: true, want: 500},
	{op: "revokeSession", input: `{"token":"$session"}`, as: "ann", want: 200},
	{op: "revokeSession", input: `{"token":"unknown"}`, as: "ann", want: 200},
	{op: "revokeSession", input: `{}`, as: "ann", wire: true, want: 400},
	{op: "revokeSession", input: `{"token":"x"}`, as: "forged", want: 401},
	{op: "revokeSessions", as: "ann", want: 200},
	{op: "revokeSessions", as: "forged", want: 401},
	{op: "revokeOtherSessions", as: "ann", want: 200},
	{op: "revokeOtherSessions", as: "forged", want: 401},
	{op: "requestPasswordReset", input: `{"email":"ann@example.com"}`, want: 200},
	{op: "requestPasswordReset", input: `{"email":"nobody@example.com"}`, want: 200},
	{op: "requestPasswordReset", input: `{"email":"nobody"}`, want: 400},
	{op: "requestPasswordReset", input: `{"email":"ann@example.com"}`, broken: true, want: 500},
	{op: "requestPasswordResetCallback", input: `{"token":"$reset","callbackURL":"/reset"}`, want: 302},
	{op: "requestPasswordResetCallback", input: `{"token":"unknown","callbackURL":"/reset?a=1"}`, want: 302},
	{op: "resetPassword", input: `{"newPassword":"new password","token":"$reset"}`, want: 200},
	{op: "resetPassword", input: `{"newPassword":"new password","token":"unknown"}`, want: 400},
	{op: "resetPassword", input: `{"newPassword":"short","token":"$reset"}`, want: 400},
	{op: "verifyPassword", input: `{"password":"password of ann"}`, as: "ann", want: 200},
	{op: "verifyPassword", input: `{"password":"wrong"}`, as: "ann", want: 400},
	{op: "verifyPassword", input: `{"password":"wrong"}`, as: "forged", want: 401},
	{op: "changePassword", input: `{"newPassword":"new password","currentPassword":"password of ann"}`, as: "ann", want: 200},
	{op: "changePassword", input: `{"newPassword":"new password","currentPassword":"password of ann","revokeOtherSessions":true}`, as: "ann", want: 200},
	{op: "changePassword", input: `{"newPassword":"new password","currentPassword":"wrong"}`, as: "ann", want: 400},
	{op: "changePassword", input: `{"newPassword":"new password","currentPassword":"x"}`, as: "forged", want: 401},
	{op: "sendVerificationEmail", input: `{"email":"ann@example.com"}`, want: 200},
	{op: "sendVerificationEmail", input: `{"email":"ann@example.com"}`, as: "ann", want: 200},
	{op: "sendVerificationEmail", input: `{"email":"bob@example.com"}`, as: "ann", want: 400},
	{op: "verifyEmail", input: `{"token":"$verify"}`, want: 200},
	{op: "verifyEmail", input: `{"token":"$verify","callbackURL":"/welcome"}`, want: 302},
	{op: "verifyEmail", input: `{"token":"x.y.z"}`, want: 401},
	{op: "verifyEmail", input: `{"token":"x.y.z","callbackURL":"/welcome?a=1#h"}`, want: 302},
	{op: "updateUser", input: `{"name":"Annie","image":null}`, as: "ann", want: 200},
	{op: "updateUser", input: `{"email":"x@example.com"}`, as: "ann", want: 400},
	{op: "updateUser", input: `{}`, as: "ann", want: 400},
	{op: "updateUser", input: `{"name":"Annie"}`, as: "forged", want: 401},
	{op: "changeEmail", input: `{"newEmail":"annie@example.com"}`, as: "ann", want: 200},
	{op: "changeEmail", input: `{"newEmail":"ann@example.com"}`, as: "ann", want: 400},
	{op: "changeEmail", input: `{"newEmail":"ann@example.com"}`, as: "forged", want: 401},
	{op: "deleteUser", input: `{"password":"password of ann"}`, as: "ann", want: 200},
	{op: "deleteUser", input: `{"token":"$delete"}`, as: "ann", want: 200},
	{op: "deleteUser", input: `{"password":"wrong"}`, as: "ann", want: 400},
	{op: "deleteUser", input: `{"token":"unknown"}`, as: "ann", want: 404},
	{op: "deleteUser", input: `{}`, as: "forged", want: 401},
	{op: "deleteUserCallback", input: `{"token":"$delete"}`, as: "ann", want: 200},
	{op: "deleteUserCallback", input: `{"token":"$delete","callbackURL":"/bye"}`, as: "ann", want: 302},
	{op: "deleteUserCallback", input: `{"token":"unknown"}`, as: "ann", want: 404},
	{op: "deleteUserCallback", input: `{"token":"$delete"}`, as: "forged", want: 404},
	{op: "listUserAccounts", as: "ann", want: 200},
	{op: "listUserAccounts", as: "forged", want: 401},
	{op: "unlinkAccount", input: `{"accountId":"$second"}`, as: "ann", want: 200},
	{op: "unlinkAccount", input: `{"accountId":"x"}`, as: "ann", want: 400},
	{op: "unlinkAccount", input: `{"accountId":"x"}`, as: "forged", want: 401},
	{op: "accountInfo", input: `{"accountId":"$account"}`, as: "ann", want: 400},
	{op: "accountInfo", input: `{"accountId":"x"}`, as: "forged", want: 401},
	{op: "accountInfo", input: `{"accountId":"x","y":"1"}`, as: "ann", wire: true, want: 400},
	{op: "getAccessToken", input: `{"accountId":"$account"}`, as: "ann", want: 400},
	{op: "getAccessToken", input: `{}`, as: "ann", want: 400},
	{op: "getAccessToken", input: `{"accountId":"x","providerId":"y"}`, as: "ann", wire: true, want: 400},
	{op: "getAccessToken", input: `{"accountId":"x"}`, as: "forged", want: 401},
	{op: "refreshToken", input: `{"accountId":"$account"}`, as: "ann", want: 400},
	{op: "refreshToken", input: `{"accountId":"x"}`, as: "forged", want: 401},
}

// A doorSet is a list of cases with the world in which they happen.
type doorSet struct {
	plugin  func() Plugin      // nil: the core
	prepare func(d *doorWorld) // gives ann what the plugin needs, and its secrets; may be nil
	cases   []doorCase
}

// checkPluginDoors sends the cases of a plugin through every door and wants one for
// each of its endpoints that has a URL.
func checkPluginDoors(t *testing.T, set doorSet) {
	covered := make(map[string]bool)
	for _, c := range set.cases {
		covered[c.op] = covered[c.op] || !c.wire
		t.Run(c.op+" "+c.as+" "+c.input, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkDoors(t, c, set) })
		})
	}
	w := newWorld(t, func(c *Config) { c.Plugins = []Plugin{set.plugin()} })
	for _, op := range w.API.plugins {
		if !covered[op.Name()] && op.Path() != "" {
			t.Errorf("no case for %s", op.Name())
		}
	}
}

// brokenStore fails whenever it is asked once it has been broken.
type brokenStore struct {
	Store
	broken bool
}

var errSecret = errors.New("secret of the database")

func (s *brokenStore) Select(ctx context.Context, q Query) ([]Row, error) {
	if s.broken {
		return nil, errSecret
	}
	return s.Store.Select(ctx, q)
}

func (s *brokenStore) Insert(ctx context.Context, table *Table, row Row) error {
	if s.broken {
		return errSecret
	}
	return s.Store.Insert(ctx, table, row)
}

// doorWorld is a prepared instance with one door's view of it.
type doorWorld struct {
	*world
	store  *brokenStore
	ann    *browser
	secret map[string]string
}

func newDoorWorld(t *testing.T, set doorSet) *doorWorld {
	d := &doorWorld{store: &brokenStore{Store: NewMemoryStore()}}
	d.world = newWorld(t, func(c *Config) {
		c.Store = d.store
		c.Providers = []Provider{acme}
		if set.plugin != nil {
			c.Plugins = []Plugin{set.plugin()}
		}
		c.Session.Fields = []Column{{Name: "theme", Type: TypeString, Nullable: true, Optional: true}}
	})
	d.ann = d.as("ann")
	session := d.ann.get("/get-session")
	user := session.field(t, "user.id").(string)
	accounts, err := d.core.accountsOf(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	d.secret = map[string]string{
		"$session": session.field(t, "session.token").(string),
		"$account": accounts[0].ID,
		"$reset":   newResetToken(),
		"$delete":  newDeleteToken(),
		"$verify":  d.core.emailToken(emailClaims{Email: "ann@example.com", UserID: user}, defaultLinkLifetime),
	}
	second := Account{ID: newID(), AccountID: "g", ProviderID: "google", UserID: user, CreatedAt: now(), UpdatedAt: now()}
	if err := d.core.accounts.create(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	d.secret["$second"] = second.ID
	for purpose, name := range map[string]string{purposeResetPassword: "$reset", purposeDeleteAccount: "$delete"} {
		if err := d.core.createVerification(t.Context(), purpose, d.secret[name], user, defaultLinkLifetime); err != nil {
			t.Fatal(err)
		}
	}
	if set.prepare != nil {
		set.prepare(d)
	}
	return d
}

func (d *doorWorld) input(c doorCase) string {
	input := c.input
	for name, value := range d.secret {
		input = strings.ReplaceAll(input, name, value)
	}
	if input == "" {
		return "{}"
	}
	return input
}

func (d *doorWorld) headers(c doorCase) http.Header {
	h := http.Header{"User-Agent": {"test"}, "Origin": {testOrigin}}
	switch c.as {
	case "ann":
		h.Set("Cookie", d.ann.cookieHeader())
	case "forged":
		h.Set("Cookie", "better-auth.session_token=abcdefghijklmnopqrstuvwxyzABCDEF."+strings.Repeat("A", 43)+"%3D")
	}
	return h
}

// answer is what came out of a door, with what differs by chance replaced.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

var (
	randomText = regexp.MustCompile(`[0-9a-zA-Z_-]{24,}(\.[0-9A-Za-z%+/]+(%3D|=))?`)
	noHeaders  = []string{"Date", "Content-Length"}
)

func (d *doorWorld) answer(status int, h http.Header, body string) answer {
	h = h.Clone()
	for _, key := range noHeaders {
		h.Del(key)
	}
	for key, values := range h {
		for i := range values {
			h[key][i] = randomText.ReplaceAllString(values[i], "RANDOM")
		}
	}
	return answer{status, h, randomText.ReplaceAllString(body, "RANDOM")}
}

// throughHTTP is the network door.
func (d *doorWorld) throughHTTP(c doorCase) answer {
	op := d.API.Operation(c.op)
	rec := httptest.NewRecorder()
	d.ServeHTTP(rec, d.request(c, op))
	return d.answer(rec.Code, rec.Header(), rec.Body.String())
}

func (d *doorWorld) request(c doorCase, op Operation) *http.Request {
	var r *http.Request
	if op.Methods()[0] == http.MethodPost {
		r = httptest.NewRequest("POST", testBase+op.Path(), strings.NewReader(d.input(c)))
	} else {
		r = httptest.NewRequest("GET", testBase+d.target(c, op), nil)
	}
	for key, values := range d.headers(c) {
		r.Header[key] = values
	}
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = "" // a direct call has no connection either
	return r
}

func (d *doorWorld) target(c doorCase, op Operation) string {
	var members map[string]string
	if err := json.Unmarshal([]byte(d.input(c)), &members); err != nil {
		d.t.Fatal(err)
	}
	path, query := op.Path(), url.Values{}
	for name, value := range members {
		if strings.Contains(path, ":"+name) {
			path = strings.Replace(path, ":"+name, value, 1)
			continue
		}
		query.Set(name, value)
	}
	return path + "?" + query.Encode()
}

// throughResponse is the in-process door that gives a response.
func (d *doorWorld) throughResponse(c doorCase) (answer, error) {
	var resp *http.Response
	_, err := d.API.Operation(c.op).CallJSON(d.t.Context(), []byte(d.input(c)), WithHeaders(d.headers(c)), AsResponse(&resp))
	body, readErr := io.ReadAll(resp.Body)
	if readErr != nil {
		d.t.Fatal(readErr)
	}
	return d.answer(resp.StatusCode, resp.Header, string(body)), err
}

// throughCall is the typed door: it calls the endpoint's Call with a Req.
func (d *doorWorld) throughCall(c doorCase) (answer, error) {
	var (
		status int
		header http.Header
	)
	out, err := d.call(d.API.Operation(c.op), c, ReturnStatus(&status), ReturnHeaders(&header))
	return d.answer(status, header, outcomeBody(d.t, out, err)), err
}

// call calls the Call of an operation.
func (d *doorWorld) call(op Operation, c doorCase, opts ...CallOption) (out any, err error) {
	call := reflect.ValueOf(op).MethodByName("Call")
	in := reflect.New(call.Type().In(1))
	d.fill(in.Elem(), c)
	args := []reflect.Value{reflect.ValueOf(d.t.Context()), in.Elem(), reflect.ValueOf(WithHeaders(d.headers(c)))}
	for _, opt := range opts {
		args = append(args, reflect.ValueOf(opt))
	}
	results := call.Call(args)
	err, _ = results[1].Interface().(error)
	return results[0].Interface(), err
}

// outcomeBody is the body that an HTTP client would get of a Call's outcome.
func outcomeBody(t *testing.T, out any, err error) (body string) {
	if api := apiError(err); api != nil {
		body = string(api.appendBody(nil))
	} else if err == nil {
		body = encodeResult(t, out)
	}
	return body
}

func encodeResult(t *testing.T, v any) string {
	if raw, ok := v.(Raw); ok {
		return string(raw.Body)
	}
	body, err := appendMarshal(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// fill sets the fields of a request from the JSON input, by the names in their
// tags.
func (d *doorWorld) fill(in reflect.Value, c doorCase) {
	b := newBinding(in.Type())
	x := &Exchange{input: in.Addr().Interface(), direct: true, sent: new(sent)}
	if err := x.sent.parseJSON([]byte(d.input(c))); err != nil {
		d.t.Fatal(err)
	}
	if issues := b.bindMembers(x.sent, in, true); len(issues) > 0 {
		d.t.Fatalf("the input %s does not fit: %v", c.input, issues)
	}
}

// TestDoorsAgree sends every case through HTTP, AsResponse and Call: status,
// headers, body, value and error must say the same.
func TestDoorsAgree(t *testing.T) {
	for _, c := range doorCases {
		t.Run(c.op+" "+c.as+" "+c.input, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkDoors(t, c, doorSet{}) })
		})
	}
}

func checkDoors(t *testing.T, c doorCase, set doorSet) {
	prepare := func() *doorWorld {
		d := newDoorWorld(t, set)
		d.store.broken = c.broken
		return d
	}
	base := prepare().throughHTTP(c)
	if base.Status != c.want {
		t.Fatalf("HTTP answers %d %s, want %d", base.Status, base.Body, c.want)
	}
	response, err := prepare().throughResponse(c)
	sameAnswer(t, "AsResponse", response, base)
	if internal := base.Body == ""; (err != nil) != (internal && c.want == 500) {
		t.Errorf("AsResponse returns the error %v beside status %d", err, c.want)
	}
	if strings.Contains(base.Body, errSecret.Error()) {
		t.Errorf("the body tells what only the log may know: %s", base.Body)
	}
	if c.wire {
		return
	}
	checkClientDoor(t, prepare, c, set, base)
	called, err := prepare().throughCall(c)
	if called.Header.Get("Content-Type") == "" {
		base.Header.Del("Content-Type") // describes a body, of which a Call has none
	}
	sameAnswer(t, "Call", called, base)
	if (err == nil) != (c.want == 200) || c.broken && c.op != "getSession" && !errors.Is(err, errSecret) {
		t.Errorf("Call returns %v, HTTP %d", err, c.want)
	}
}

func sameAnswer(t *testing.T, door string, got, want answer) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", door, got, want)
	}
}

// TestDoorCasesCoverEveryEndpoint keeps the table complete.
func TestDoorCasesCoverEveryEndpoint(t *testing.T) {
	covered := map[string]bool{"setPassword": true} // has no HTTP door; TestSetPassword
	for _, c := range doorCases {
		covered[c.op] = covered[c.op] || !c.wire
	}
	for _, op := range newWorld(t).API.Operations() {
		if !covered[op.Name()] {
			t.Errorf("no case for %s", op.Name())
		}
	}
}

// TestDoorsAgreeOnPanics: a panic is an internal error on every door, and the
// log has it.
func TestDoorsAgreeOnPanics(t *testing.T) {
	w := newWorld(t)
	w.API.OK.Before(func(context.Context, *Empty) error { panic("secret of the program") })
	if r := w.browser().get("/ok"); r.StatusCode != 500 || r.body != "" {
		t.Errorf("HTTP: %d %q", r.StatusCode, r.body)
	}
	var resp *http.Response
	if _, err := w.API.OK.Call(t.Context(), Empty{}, AsResponse(&resp)); err == nil || resp.StatusCode != 500 {
		t.Errorf("AsResponse: %v, %v", resp, err)
	}
	if out, err := w.API.OK.Call(t.Context(), Empty{}); err == nil || out != nil || apiError(err) != nil {
		t.Errorf("Call: %v, %v", out, err)
	}
	if n := strings.Count(w.log.String(), "secret of the program"); n != 3 {
		t.Errorf("the log mentions the panic %d times:\n%s", n, w.log.String())
	}
}
