package auth

import (
	"context"
	"log/slog"
	"time"
)

// Services are what a plugin works with: the core's users, sessions, accounts,
// verifications, cookies and secrets. Plugin.Extend gets them; but for Config they
// work when New has returned. They are safe for concurrent use.
//
// A ctx is that of the endpoint or hook, or one derived from it: it says who calls,
// and which transaction a write belongs to.
type Services struct {
	config *Config
	core   *core // nil before New has returned
	auth   *Auth // the same
	remote bool  // of a Client
}

// Remote reports whether the plugin belongs to a Client (ClientPlugins): its endpoints
// are asked for at a server and its functions and hooks never run. Options that only
// they need may be missing then. Of the Services nothing works but Config and Plugin.
func (s *Services) Remote() bool { return s.remote }

// local is the instance. It panics where there is none: before New has returned, and in
// a Client.
func (s *Services) local() *core {
	switch {
	case s.remote:
		panic("auth: a plugin of a Client has no Services: its functions run at the server")
	case s.core == nil:
		panic("auth: Services are used before New has returned")
	}
	return s.core
}

// Config returns the configuration with the defaults of the options that endpoints
// read (EmailPassword, EmailVerification, Session). What it points to is not to be
// changed.
func (s *Services) Config() Config {
	config := *s.config
	config.EmailPassword = config.EmailPassword.withDefaults()
	config.EmailVerification = config.EmailVerification.withDefaults()
	config.Session = config.session()
	setDefault(&config.AppName, defaultAppName)
	return config
}

const defaultAppName = "Better Auth"

// Plugin returns the plugin with an ID, nil if the instance has none.
func (s *Services) Plugin(id string) Plugin {
	for _, plugin := range s.config.Plugins {
		if plugin.ID() == id {
			return plugin
		}
	}
	return nil
}

// OpenAPI returns the document of the instance, as Auth.OpenAPI does.
func (s *Services) OpenAPI(own ...Operation) *OpenAPIDocument {
	_ = s.local()
	return s.auth.OpenAPI(own...)
}

// Transaction runs fn in one transaction of the store, as Auth.Transaction does.
func (s *Services) Transaction(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.local().transact(ctx, fn)
}

// Insist is Transaction for fn that finds out whether somebody was faster: it is run
// again after ErrConflict too, three times at most.
func (s *Services) Insist(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.local().insist(ctx, fn)
}

// Background runs a task such as sending a mail when the transaction of ctx is
// committed: at once, or on Config.Background. What is a word or two for the log.
// The task's failure, a panic too, is logged and never changes the answer, which
// could tell a stranger who has an account.
func (s *Services) Background(ctx context.Context, what string, task func(ctx context.Context) error) {
	s.local().inBackground(ctx, what, task)
}

// Log is where internal errors go.
func (s *Services) Log() *slog.Logger { return s.local().log }

// Event records what matters to security (sign-in, failure, lockout, …), in the log
// and for Config.OnEvent. Time and the client's Address are filled in, Identifier is
// given as it was typed. In a transaction an event waits for the commit, and never
// comes if there is none, unless its Level is slog.LevelWarn or more: a failure is one
// whatever becomes of the transaction. A plugin's own events have a Name of its own.
func (s *Services) Event(ctx context.Context, e Event) { s.local().event(ctx, e) }

// Now is the current time as it is stored: in UTC, in whole milliseconds.
func (s *Services) Now() time.Time { return now() }

// BaseURL returns where the caller reaches the endpoints, with the base path and
// without a slash at the end; Origin is its scheme and host.
func (s *Services) BaseURL(ctx context.Context) string { return s.local().siteOf(ctx).url }

// Origin returns the scheme and host of BaseURL.
func (s *Services) Origin(ctx context.Context) string { return s.local().siteOf(ctx).origin }

// URL returns the URL of a path below the base path with a query of names and values
// in turn, in their order.
func (s *Services) URL(ctx context.Context, path string, params ...string) string {
	url := s.local().siteOf(ctx).url + path
	if len(params) > 0 {
		url += "?" + encodeForm(formParams(params))
	}
	return url
}

// RedirectURL returns target, a path or a URL, as an absolute URL with parameters
// set, names and values in turn. Errors: a target that browsers do not all read in
// the same way.
func (s *Services) RedirectURL(ctx context.Context, target string, params ...string) (string, error) {
	return redirectWith(s.local().siteOf(ctx).origin, target, params...)
}

// TrustsURL reports whether a redirect may lead to a URL: a path of this server, or
// one of a trusted origin.
func (s *Services) TrustsURL(ctx context.Context, url string) bool {
	x := ExchangeFrom(ctx)
	return x != nil && s.local().trusted.trustsURL(x.request, url)
}
