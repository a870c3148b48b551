package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"html/template"
	"net"
	"net/http"
	"net/url"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/seed3b05b409/auth"
)

// demoID is the id of the demonstration provider. Accounts in the database keep
// it, so it must not change.
const demoID = "demo"

// A demoProvider is an OpenID provider for trying things out, at which everybody
// may be anybody. The protocol is that of a certified library; what is here is a
// page to choose one of three users from, and a memory that ends with the program.
// It is for loopback addresses only.
type demoProvider struct {
	issuer string
	client *demoClient
	store  *demoStore
	op     *op.Provider
}

// newDemoProvider makes the provider that answers on the listener, with one
// client: the site at baseURL.
func newDemoProvider(listener net.Listener, baseURL string) (*demoProvider, error) {
	client := &demoClient{
		id: "example", secret: rand.Text(),
		callback:  baseURL + "/api/auth/callback/" + demoID,
		signedOut: baseURL + "/sign-in",
		origin:    baseURL,
	}
	store, err := newDemoStore(client)
	if err != nil {
		return nil, err
	}
	d := &demoProvider{issuer: "http://" + listener.Addr().String(), client: client, store: store}
	config := &op.Config{CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true}
	_, _ = rand.Read(config.CryptoKey[:]) // never fails
	d.op, err = op.NewProvider(config, store, op.StaticIssuer(d.issuer), op.WithAllowInsecure())
	return d, err
}

// provider is what the site configures to sign in there. With offline_access comes
// a refresh token.
func (d *demoProvider) provider() auth.Provider {
	p := auth.OIDC(demoID, d.issuer, d.client.id, d.client.secret)
	p.Scopes = append(p.Scopes, oidc.ScopeOfflineAccess)
	return p
}

func (d *demoProvider) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /choose", d.choosePage)
	mux.HandleFunc("POST /choose", d.choose)
	mux.Handle("GET /static/style.css", http.FileServerFS(files))
	mux.Handle("/", d.op)
	return http.NewCrossOriginProtection().Handler(mux)
}

//go:embed demoprovider.html
var demoHTML string

var demoPage = template.Must(template.New("choose").Parse(demoHTML))

// choosePage asks who signs in.
func (d *demoProvider) choosePage(w http.ResponseWriter, r *http.Request) {
	request, err := d.store.request(r.FormValue("id"))
	if err != nil {
		http.Error(w, "This sign-in is too old. Go back and begin again.", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// There is no form-action: it would have to name the site, where the form leads on to.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	_ = demoPage.Execute(w, struct {
		ID, Client string
		Users      []demoUser
	}{request.id, d.client.origin, demoUsers})
}

// choose ends the sign-in as the chosen user, or with a refusal.
func (d *demoProvider) choose(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("id")
	request, err := d.store.decide(id, r.PostFormValue("user"))
	switch {
	case err != nil:
		http.Error(w, "This sign-in is too old. Go back and begin again.", http.StatusNotFound)
	case request.subject == "":
		op.AuthRequestError(w, r, request, oidc.ErrAccessDenied().WithDescription("the user said no"), d.op)
	default:
		http.Redirect(w, r, "/authorize/callback?id="+url.QueryEscape(id), http.StatusSeeOther)
	}
}

// A demoUser is somebody whom everybody may be.
type demoUser struct {
	Subject, Name, Email string
	Verified             bool // whether the provider vouches for the address
}

var demoUsers = []demoUser{
	{"ada", "Ada Lovelace", "ada@example.com", true},
	{"grace", "Grace Hopper", "grace@example.com", false},
	{"linus", "Linus Pauling", "linus@example.com", true},
}

func findDemoUser(subject string) (demoUser, bool) {
	for _, user := range demoUsers {
		if user.Subject == subject {
			return user, true
		}
	}
	return demoUser{}, false
}

// startDemoProvider starts the provider on a free loopback port; it ends with ctx.
func startDemoProvider(ctx context.Context, baseURL string, background func(task func())) (*demoProvider, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d, err := newDemoProvider(listener, baseURL)
	if err != nil {
		listener.Close()
		return nil, err
	}
	background(func() { _ = serve(ctx, listener, d.handler()) })
	return d, nil
}
