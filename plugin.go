package auth

import (
	"context"
	"net/http"
	"slices"
)

// A Plugin adds endpoints, hooks, columns, tables and rules to an instance. It is
// a value that holds its options and, once New has seen it in Config.Plugins, its
// endpoints:
//
//	tf := &auth.TwoFactor{Issuer: "Acme"}
//	a, err := auth.New(auth.Config{Plugins: []auth.Plugin{tf}, …})
//	out, err := tf.Enable.Call(ctx, …)
//
// A plugin value belongs to one instance: New refuses a struct that has the Services
// or an Endpoint of another one in a field. The plugins of this package use nothing
// that others cannot (docs/write-a-plugin.md).
type Plugin interface {
	// ID is the plugin's name, of which an instance has one. Those of the original
	// have the original's: "two-factor".
	ID() string

	// Extend is called once, by New, in the order of Config.Plugins. It returns
	// what the plugin adds and keeps s, whose methods work when New has returned;
	// s.Config works at once. Errors are mistakes in the plugin's options.
	Extend(s *Services) (*Extension, error)
}

// An Extension is what a plugin adds. Every field is optional. Where several
// plugins have one of a kind, they take turns in the order of Config.Plugins.
type Extension struct {
	Endpoints []PluginEndpoint

	// Before and After run around endpoints of the core and of all plugins, behind
	// Config.Hooks and in front of the endpoint's own hooks.
	Before, After []RouteHook

	// Tables are tables of the plugin, in an order in which each stands behind those
	// that it references. Migrate makes them.
	Tables []PluginTable

	// Columns are added to tables: "user", "session", or one of another plugin. A
	// column of a user is in every JSON that has a user, unless it is Hidden.
	Columns map[string][]Column

	// DatabaseHooks run in front of those of the configuration.
	DatabaseHooks DatabaseHooks

	// RateRules are the plugin's defaults, by path, as in RateLimit.Rules, which
	// override them.
	RateRules map[string]RateRule

	// TrustedOrigins are added to those of the configuration.
	TrustedOrigins []string

	// Defaults may fill in options that the application left zero. It is called at
	// once; a value that is there is the application's and stays.
	Defaults func(c *Config)

	// Intercept sees requests that the rate limit has let pass before anything of
	// them is read, with the endpoint that they are for, nil if there is none. An
	// *APIError or a Code ends the request; the body is not to be read.
	Intercept func(r *http.Request, op Operation) error

	// SessionToken finds a session token that a request carries elsewhere than in
	// the session's cookie, empty if there is none. The run then has the session's
	// cookie, in place of one that the request may have. The first plugin that finds
	// one counts. It must not believe more of a request than a signature covers.
	SessionToken func(h http.Header) string

	// Challenge may keep somebody who has proven one factor from being signed in.
	// It is called before there is a session. An answer other than nil is the
	// response instead; a typed Call returns it as its error if it is one. nil, nil
	// lets the sign-in go on.
	Challenge func(ctx context.Context, in *SignIn) (answer any, err error)

	// Answers are what Challenge and the plugin's hooks answer in place of an
	// endpoint's result, so that documents can name it and a Client knows it again.
	Answers []RouteAnswer

	// Errors are what the plugin's hooks fail with, for documents.
	Errors []RouteErrors

	// Unproven takes away what was set up for a user by whoever made it, when the
	// owner of the mailbox shows up and nobody had proven to be that
	// (Services.ProveMailbox). It runs in the transaction in which passwords, accounts
	// and sessions go.
	Unproven func(ctx context.Context, user *User) error

	// SessionSeal makes and opens the cached copy of a session in a cookie (see
	// CookieCache) in place of its Strategy. One plugin may have it.
	SessionSeal SessionSeal
}

// A PluginEndpoint declares an endpoint of a plugin.
type PluginEndpoint struct {
	// Name is that in the original's api object, such as "enableTwoFactor", by which
	// API.Operation finds it. A name of the core or of another plugin is a mistake.
	Name string

	// Endpoint is made by NewEndpoint. Its path is below the base path; an empty one
	// keeps the endpoint to Go code.
	Endpoint Operation

	// Session is what the endpoint asks of the caller. Default: nothing.
	Session SessionLevel

	// FormGuard refuses what a page elsewhere submits, even without cookies, as
	// endpoints that sign in should. It does not concern a Call.
	FormGuard bool

	// RedirectQuery names parameters of the query that must be URLs of trusted
	// origins or paths. (callbackURL, redirectTo, errorCallbackURL and
	// newUserCallbackURL in a body are always checked.)
	RedirectQuery []string

	// Require names members of the body that have to be there although the request's
	// type lets them be left out: where an option says so.
	Require []string

	AcceptForms  bool // bodies may be forms, not only JSON
	OptionalBody bool // the body may be missing
	NeedHeaders  bool // a Call without headers is refused
	NoStore      bool // responses must not be cached

	// ReadOnly says that asking twice is the same as asking once: nothing is sent,
	// counted or used up. A Client asks such an endpoint again when an answer was lost.
	ReadOnly bool
}

// A SessionLevel is what an endpoint asks of the caller's session. Without it the
// answer is 401 UNAUTHORIZED.
type SessionLevel int

const (
	SessionNone     SessionLevel = iota // there need be none
	SessionRequired                     // one that may come from its cached copy
	SessionStored                       // one that the store has at this moment
	SessionFresh                        // one that began a short while ago (SessionOptions.FreshAge), else 403; a copy will do
)

// A RouteHook runs around some endpoints. Paths are those of the endpoints as they
// are declared ("/callback/:id"), or globs as in RateLimit.Rules; none stands for
// every endpoint, those without a path included.
type RouteHook struct {
	Paths []string
	Run   Hook
}

func (h RouteHook) matches(path string) bool { return matchesRoute(h.Paths, path) }

func matchesRoute(patterns []string, path string) bool {
	return len(patterns) == 0 || path != "" && slices.ContainsFunc(patterns, func(pattern string) bool {
		return pattern == path || hasWildcard(pattern) && newGlob(pattern).matches(path)
	})
}

// A RouteAnswer is a value that some endpoints, named as in a RouteHook, may answer in
// place of their results with status 200. It is an error as well: a typed Call returns
// it as such, and so does that of a Client, which knows it by its members: all that its
// type requires are there, and no others.
type RouteAnswer struct {
	Paths []string
	Value error // the zero value of its type, such as &TwoFactorChallenge{}
}

func (a RouteAnswer) matches(path string) bool { return matchesRoute(a.Paths, path) }

// RouteErrors are codes with which some endpoints, named as in a RouteHook, may fail
// beside those of their Description, by HTTP status.
type RouteErrors struct {
	Paths  []string
	Errors map[int][]Code
}

func (e RouteErrors) matches(path string) bool { return matchesRoute(e.Paths, path) }
