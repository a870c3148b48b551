package auth

import (
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// VerifierConfig says where a [Verifier] finds the truth about sessions. It needs
// a secret or a URL; docs/verify-sessions.md helps to choose.
//
//	Secret alone                        copies only (CookieCache); the rest is no session
//	Secret with Store, SecondaryStorage copies, then the storage
//	Secret with URL                     copies, then the server
//	URL alone                           the server
type VerifierConfig struct {
	// Secret and Secrets are those of the server that signs in: see Config. Tokens
	// and copies signed with any of them are accepted.
	Secret  string
	Secrets []Secret

	// Store and SecondaryStorage are those of the server, or replicas of them; they
	// are only read. SecondaryStorage alone is for sessions that are there alone or
	// that are preserved in the database (SessionOptions.PreserveInDatabase); with a
	// Store, that is asked for what is not there (SessionOptions.StoreInDatabase).
	Store            Store
	SecondaryStorage SecondaryStorage

	// URL is that of the server, instead of a storage, as this program reaches it:
	// scheme, host, port and base path, without which that is "/api/auth".
	URL string

	// HTTPClient asks at URL. Its CheckRedirect and Jar are not used: no redirect is
	// followed, no cookie kept. Default: http.DefaultTransport and 5 seconds, which
	// is the default of its Timeout too.
	HTTPClient *http.Client

	// Cookies are those of the server; only names matter. With AlwaysSecure only
	// names with the prefix __Secure-, or __Host- with HostPrefix, count, with
	// NeverSecure only those without.
	// By default both count; where a request has both, only the one with the
	// prefix, which a page of http cannot have set, even if it is worth nothing.
	Cookies Cookies

	// Version and VersionFunc are those of the server's CookieCache: copies of
	// another version do not count.
	Version     string
	VersionFunc func(session *Session, user *User) string

	// IgnoreCopies asks for every request, so that a session that was revoked ends
	// at once. Otherwise a copy is good until it expires: CookieCache.MaxAge, 5
	// minutes unless the server says otherwise.
	IgnoreCopies bool

	// MaxLifetime is the server's SessionOptions.MaxLifetime. It matters for sessions
	// that began before the server had it, or that a server without it prolongs.
	MaxLifetime time.Duration

	// UserFields and SessionFields are the server's additional columns
	// (UserOptions.Fields, SessionOptions.Fields).
	UserFields    []Column
	SessionFields []Column

	// Logger gets the errors that RequireSession answers with 500. Default
	// slog.Default().
	Logger *slog.Logger
}

// names are those of a cookie that count, the one that wins first.
func (c *VerifierConfig) names(standard string, override CookieOverride) []string {
	plain := c.Cookies.name(standard, override)
	switch {
	case c.Cookies.AlwaysSecure:
		return []string{c.Cookies.securePrefix() + plain}
	case c.Cookies.NeverSecure:
		return []string{plain}
	}
	return []string{c.Cookies.securePrefix() + plain, plain}
}

// services are as much of them as reading sessions takes.
func (c *VerifierConfig) services() *services {
	s := &services{
		log:                 c.Logger,
		store:               c.Store,
		userFields:          additional(c.UserFields),
		hiddenUserFields:    hiddenNames(c.UserFields),
		hiddenSessionFields: hiddenNames(c.SessionFields),
		session: SessionOptions{
			StoreInDatabase: c.Store != nil,
			MaxLifetime:     c.MaxLifetime,
			CookieCache:     CookieCache{Version: c.Version, VersionFunc: c.VersionFunc},
			Fields:          additional(c.SessionFields),
		}.withDefaults(),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	return s
}

func (c *VerifierConfig) signed() bool { return c.Secret != "" || len(c.Secrets) > 0 }

// check returns what is missing and what contradicts itself.
func (c *VerifierConfig) check() error {
	var errs [8]error
	storage := c.Store != nil || c.SecondaryStorage != nil
	switch {
	case c.signed():
		errs[0] = checkSecrets("VerifierConfig", c.Secret, c.Secrets)
	case storage:
		errs[0] = errors.New("auth: VerifierConfig.Secret is missing: a token counts with its signature only")
	case c.URL == "":
		errs[0] = errors.New("auth: VerifierConfig needs a Secret or the URL of the server")
	}
	if storage && c.URL != "" {
		errs[1] = errors.New("auth: VerifierConfig has both a storage and a URL: one place says who is signed in")
	}
	if c.signed() && c.IgnoreCopies && !storage && c.URL == "" {
		errs[2] = errors.New("auth: VerifierConfig.IgnoreCopies needs Store, SecondaryStorage or URL: there is nothing else to ask")
	}
	if c.HTTPClient != nil && c.URL == "" {
		errs[3] = errors.New("auth: VerifierConfig.HTTPClient needs a URL")
	}
	if c.Cookies.NeverSecure && (c.Cookies.AlwaysSecure || c.Cookies.HostPrefix) {
		errs[4] = errors.New("auth: VerifierConfig.Cookies is NeverSecure, and AlwaysSecure or HostPrefix")
	}
	if c.Version != "" && c.VersionFunc != nil {
		errs[5] = errors.New("auth: VerifierConfig has both Version and VersionFunc")
	}
	if !c.signed() && (c.Version != "" || c.VersionFunc != nil) {
		errs[6] = errors.New("auth: VerifierConfig.Version needs a Secret: without one no copy is looked into")
	}
	if c.MaxLifetime < 0 {
		errs[7] = errors.New("auth: VerifierConfig.MaxLifetime is negative")
	}
	return errors.Join(errs[:]...)
}
