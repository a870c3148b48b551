// Package auth adds users, sessions, passwords and sign-in at providers such as
// Google to any net/http server.
//
// New makes an instance from a Config. The *Auth is an http.Handler, to be
// mounted at the base path:
//
//	a, err := auth.New(auth.Config{
//		BaseURL:       "https://example.com",
//		Secret:        os.Getenv("AUTH_SECRET"),
//		Store:         auth.NewMemoryStore(),
//		EmailPassword: auth.EmailPassword{Enabled: true},
//	})
//	mux.Handle("/api/auth/", a)
//
// # Endpoints
//
// Every operation is an Endpoint: a typed Go function and an HTTP handler in
// one. Auth.API has them as fields. A browser reaches POST
// /api/auth/sign-in/email; Go code calls the same endpoint:
//
//	out, err := a.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: email, Password: password})
//
// A CallOption passes the headers of a request along (WithRequest,
// WithHeaders, WithRateLimit), or returns what belongs to the response beside the value:
// ReturnHeaders, ReturnStatus, AsResponse, ForwardHeaders. A page that signs
// somebody in forwards the cookies to the browser like this:
//
//	_, err := a.API.SignInEmail.Call(r.Context(), in,
//		auth.WithRequest(r), auth.WithRateLimit(), auth.ForwardHeaders(w))
//
// What a client is told when something fails is an *APIError with a status, a
// Code and a message. Codes are constants for errors.Is:
//
//	if errors.Is(err, auth.ErrInvalidEmailOrPassword) { … }
//
// Any other error is internal: clients see status 500 without a body, the
// logger sees the error.
//
// NewEndpoint makes endpoints of your own with the same doors, hooks and
// validation.
//
// OpenAPI describes all of them, and yours, in OpenAPI 3.1 (docs/openapi.md):
//
//	mux.Handle("GET /openapi.json", a.OpenAPI(createItem))
//
// # Sessions
//
// A session is a row in the store and a signed cookie. Auth.RequireSession
// guards a handler, which finds the user by SessionFromContext; Auth.Session
// reads the session of a request and changes nothing.
//
// # Clients
//
// NewClient gives another program the same API over the network. Calls without
// headers are those of the program's own user; WithRequest calls on behalf of
// somebody. Client.RequireSession guards handlers by asking the server, and the
// Client itself is a reverse proxy for it. A program that only accepts sessions
// needs no more than a Verifier.
//
//	c, err := auth.NewClient("https://auth.internal/api/auth")
//	out, err := c.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: email, Password: password})
//
// # Providers
//
// Config.Providers lists where else people can sign in: Google, GitHub and the other
// constructors, BuiltinProvider with an id, OIDC for an OpenID provider, or a Provider
// with the URLs of any OAuth 2.0 server. A page begins with SignInSocial and sends the
// browser to the URL that it returns; the callback ends in a session:
//
//	out, err := a.API.SignInSocial.Call(r.Context(),
//		auth.SignInSocialRequest{Provider: "google", CallbackURL: "/dashboard"},
//		auth.WithRequest(r), auth.WithRateLimit(), auth.ForwardHeaders(w))
//	http.Redirect(w, r, out.URL, http.StatusSeeOther)
//
// Accounts at providers are linked to users by their verified addresses
// (AccountLinking), or on request (LinkSocialAccount). GetAccessToken gives a token for
// the provider's API. docs/social-sign-in.md says all of it.
//
// # Protection
//
// Over HTTP, requests with cookies must come from a trusted origin, URLs to
// redirect to must be trusted, bodies are limited and requests are counted per
// client. These checks belong to requests and are not made for direct calls:
// pages of your own that call endpoints need the protection against cross-site
// requests that net/http has, http.CrossOriginProtection, and WithRateLimit.
//
// # Logs and events
//
// Sign-ins, refusals and changes are events: records of Config.Logger with a name, at
// level Info or, if they are suspicious, Warn, and calls of Config.OnEvent for programs
// that count them or hand them on. They come when what they are about is stored, and have
// no password, token or address in them; docs/events.md lists them:
//
//	OnEvent: func(ctx context.Context, e auth.Event) { counts.Add(string(e.Name), 1) },
//
// Internal errors are records at level Error, and Config.OnError hears of them. Migrate
// and Cleanup tell what they do. Auth.Diagnose tells developers why a request has no
// session, or is refused; docs/troubleshooting.md has what it finds.
//
// # Compatibility
//
// Paths, JSON, error codes, cookies, signatures, password hashes and tables are
// those of Better Auth 1.7.25, whose official JavaScript clients work
// unmodified. Comments that name a contract section mean a description of that
// format, observed on the original. docs/differences.md lists where this package
// differs on purpose.
package auth
