package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config configures an Auth. BaseURL or DynamicBaseURL, Secret and Store are
// required; everything
// else has a default that is safe.
type Config struct {
	// BaseURL is where browsers reach the server: scheme, host and port. A path
	// in it replaces BasePath. With https the cookies are Secure and their names
	// get the prefix __Secure-.
	BaseURL string

	// DynamicBaseURL, instead of BaseURL, serves several hosts.
	DynamicBaseURL DynamicBaseURL

	// BasePath is the path below which all endpoints are. Default "/api/auth".
	BasePath string

	// Secret signs cookies and tokens: at least 32 bytes that nobody can guess.
	// All servers that share a database share it, the TypeScript ones too.
	Secret string

	// Secrets rotate the secret: the first one signs and encrypts, all of them and
	// Secret, which may then be empty, are accepted. Put a new one with the next
	// version in front, and take an old one away when what it made has expired.
	Secrets []Secret

	// Store keeps users and sessions: NewSQLStore(db, dialect), or
	// NewMemoryStore() for tests and trials.
	Store Store

	// Stateless, instead of Store, keeps nothing but cookies: a session is its
	// encrypted copy in the browser (Session.CookieCache), good on every server
	// with the secret, and ends when it expires and not before. Users live in the
	// memory of the process; it is for sign-in at providers, which know them.
	Stateless bool

	// IDs says what the ids of rows look like, in all tables: 32 random letters
	// and digits, random UUIDs (IDUUID) or numbers that the store counts
	// (IDSerial). NewID makes other ones; not with IDSerial. MySQL holds up to
	// 36 characters. All servers that share a database agree on IDs.
	IDs   IDType
	NewID func(table string) string

	// SecondaryStorage, such as Redis, keeps sessions, verifications and the
	// counts of the rate limit instead of Store, unless Session.StoreInDatabase,
	// Verification.StoreInDatabase or RateLimit say otherwise.
	SecondaryStorage SecondaryStorage

	EmailPassword     EmailPassword
	EmailVerification EmailVerification
	User              UserOptions
	Account           AccountOptions
	Session           SessionOptions
	Verification      VerificationOptions
	Passwords         Passwords
	Cookies           Cookies

	// TrustedOrigins are origins besides that of BaseURL whose pages may call
	// the server with cookies and be redirected to. "https://*.example.com"
	// stands for all subdomains, "myapp://" for the scheme of a mobile app.
	TrustedOrigins []string

	// TrustedOriginsFunc adds origins for one request. It is called for every
	// request that is checked, at the same time from many goroutines; patterns
	// with mistakes in them are ignored.
	TrustedOriginsFunc func(r *http.Request) []string

	OriginCheck   OriginCheck
	RateLimit     RateLimit // off if ClientAddress is disabled
	ClientAddress ClientAddress

	// MaxBodyBytes limits the body of a request. Default 1 MiB.
	MaxBodyBytes int64

	// DisabledPaths are paths below the base path that answer 404, each as it is
	// requested: a parameter has no pattern here.
	DisabledPaths []string

	// SkipTrailingSlashes makes /ok/ mean /ok.
	SkipTrailingSlashes bool

	// ErrorPage configures the page at /error.
	ErrorPage ErrorPage

	// Hooks run around every endpoint.
	Hooks Hooks

	// DatabaseHooks run around what endpoints do to rows.
	DatabaseHooks DatabaseHooks

	// Background runs tasks such as sending a mail. The default runs them at
	// once, so that the request waits for the mail server: whoever measures
	// that learns which addresses have an account. func(task func()) { go task() }
	// is better where the program waits for its goroutines before it ends.
	Background func(task func())

	// OnError is told of what goes wrong with requests and is no endpoint's own
	// answer: internal errors, panics, bodies that cannot be read, origins and URLs
	// that are not trusted, refusals of hooks before an endpoint. It cannot change
	// the answer. Default: none; the Logger gets internal errors anyway.
	OnError func(ctx context.Context, err error)

	// Logger gets internal errors, and security events at level Info. Default
	// slog.Default().
	Logger *slog.Logger
}

// Hooks run around every endpoint, before and after its own hooks.
type Hooks struct {
	Before Hook
	After  Hook
}

// UserOptions configure what users are and what they may do with themselves.
type UserOptions struct {
	// Fields are additional columns. One that is Unique tells whoever signs up
	// which values are taken.
	Fields      []Column
	ChangeEmail ChangeEmail
	Delete      DeleteUser

	// ValidateInfo judges who is about to become a user, before the database hooks.
	// An *APIError or a Code tells the client why not, with status 403 whatever it
	// says; any other error is 403 validation_failed and goes to the logger. Where
	// sign-up hides who has an account, a refusal looks like a success.
	ValidateInfo func(ctx context.Context, user *User, source UserSource) error
}

// AccountOptions configure the accounts of users.
type AccountOptions struct {
	AllowUnlinkingAll bool // the last account can be unlinked too
}

// ErrorPage configures what GET /error shows to people whose link or sign-in
// failed.
type ErrorPage struct {
	// URL is a page of the application to redirect to, with error and
	// error_description in its query.
	URL string

	// Render makes the HTML of the page. The code consists of letters, digits,
	// _, - and '; the description is what the URL says and must be escaped.
	Render func(code, description string) []byte
}

// Cookies configure names and attributes of the session's cookies.
type Cookies struct {
	// Prefix of the names. Default "better-auth".
	Prefix string

	// AlwaysSecure makes them Secure, with the prefix __Secure-, when the base
	// URL does not begin with https. NeverSecure is the opposite and lets anyone on
	// the network read them.
	AlwaysSecure bool
	NeverSecure  bool

	// CrossSubDomain shares the cookies with the subdomains of Domain, or of
	// the base URL's host if it is empty. Every one of those can then act for the
	// user.
	CrossSubDomain bool
	Domain         string

	// Default changes the attributes of all cookies, SessionToken, SessionData
	// and DontRemember name and attributes of one.
	Default      CookieAttributes
	SessionToken CookieOverride
	SessionData  CookieOverride
	DontRemember CookieOverride
}

// CookieAttributes replace attributes of a cookie (RFC 6265bis). Zero values
// keep what is there: Path=/, HttpOnly, SameSite=Lax.
type CookieAttributes struct {
	Path        string
	Domain      string
	SameSite    http.SameSite
	Partitioned bool
	Scriptable  bool // not HttpOnly: scripts in the page can steal it
}

// CookieOverride is the name of one cookie, without __Secure-, and its
// attributes.
type CookieOverride struct {
	Name string
	CookieAttributes
}

const (
	defaultBasePath = "/api/auth"
	defaultPrefix   = "better-auth"
	securePrefix    = "__Secure-"
)

// base returns the base URL without a trailing slash, and its path.
func (c *Config) base() (*url.URL, error) {
	if c.DynamicBaseURL.set() {
		return c.dynamicBase()
	}
	u, err := parseBase("Config.BaseURL", c.BaseURL)
	if err != nil {
		return nil, err
	}
	if u.Path, err = c.basePath(u.Path); err != nil {
		return nil, err
	}
	return u, nil
}

// dynamicBase returns the path that the base URLs of all requests have.
func (c *Config) dynamicBase() (*url.URL, error) {
	if c.BaseURL != "" {
		return nil, errors.New("auth: Config has both BaseURL and DynamicBaseURL")
	}
	path, err := c.basePath("")
	if err != nil {
		return nil, err
	}
	return &url.URL{Path: path}, nil
}

// basePath returns the path of the base URL, given instead of BasePath or not,
// without a trailing slash.
func (c *Config) basePath(given string) (string, error) {
	path := given
	if strings.Trim(path, "/") == "" {
		if path = c.BasePath; path == "" {
			path = defaultBasePath
		}
	}
	plain := url.URL{Path: strings.TrimRight(path, "/")}
	if path[0] != '/' || strings.Contains(path, "//") || plain.EscapedPath() != plain.Path {
		return "", fmt.Errorf("auth: Config.BasePath %q is no plain path", path)
	}
	return plain.Path, nil
}

// parseBase reads the URL of a server, an option of the given name.
func parseBase(option, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || text == "" || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("auth: %s %q is no absolute http or https URL", option, text)
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.RawPath != "" {
		return nil, fmt.Errorf("auth: %s %q has more than scheme, host and path", option, text)
	}
	return u, nil
}

// check returns all mistakes that do not show when the parts are made.
func (c *Config) check() error {
	var errs []error
	errs = append(errs, checkSecrets("Config", c.Secret, c.Secrets), c.checkStore(), c.Session.CookieCache.check(c.Stateless))
	if c.IDs == IDSerial && c.NewID != nil {
		errs = append(errs, errors.New("auth: Config.NewID makes ids, IDSerial leaves that to the store"))
	}
	if c.MaxBodyBytes < 0 {
		errs = append(errs, errors.New("auth: Config.MaxBodyBytes is negative"))
	}
	if p := c.EmailPassword.withDefaults(); p.MinLength < 1 || p.MaxLength < p.MinLength {
		errs = append(errs, fmt.Errorf("auth: Config.EmailPassword: no password has between %d and %d characters", p.MinLength, p.MaxLength))
	}
	if c.EmailPassword.RequireEmailVerification && c.EmailVerification.Send == nil {
		errs = append(errs, errors.New("auth: Config.EmailPassword.RequireEmailVerification needs EmailVerification.Send"))
	}
	if c.Cookies.AlwaysSecure && c.Cookies.NeverSecure {
		errs = append(errs, errors.New("auth: Config.Cookies is both AlwaysSecure and NeverSecure"))
	}
	if c.Session.RefreshAlways && c.Session.NeverRefresh {
		errs = append(errs, errors.New("auth: Config.Session is both RefreshAlways and NeverRefresh"))
	}
	if v := &c.EmailVerification; v.SendOnSignUp && v.NoSendOnSignUp {
		errs = append(errs, errors.New("auth: Config.EmailVerification is both SendOnSignUp and NoSendOnSignUp"))
	}
	if c.RateLimit.Storage != nil && c.RateLimit.StoreInDatabase {
		errs = append(errs, errors.New("auth: Config.RateLimit has both Storage and StoreInDatabase"))
	}
	errs = append(errs, c.checkSecondaryStorage())
	for _, path := range c.DisabledPaths {
		if !strings.HasPrefix(path, "/") {
			errs = append(errs, fmt.Errorf("auth: Config.DisabledPaths: %q does not begin with a slash", path))
		}
	}
	return errors.Join(append(errs, c.checkTimes())...)
}

// checkStore wants one place for users and sessions.
func (c *Config) checkStore() error {
	switch {
	case c.Store == nil && !c.Stateless:
		return errors.New("auth: Config.Store is missing")
	case c.Stateless && (c.Store != nil || c.SecondaryStorage != nil):
		return errors.New("auth: Config.Stateless stores nothing: it has no Store and no SecondaryStorage")
	}
	return nil
}

// checkSecondaryStorage refuses what a secondary storage would be needed for, or
// a better one.
func (c *Config) checkSecondaryStorage() error {
	var errs [2]error
	if c.Session.PreserveInDatabase && (c.SecondaryStorage == nil || !c.Session.StoreInDatabase) {
		errs[0] = errors.New("auth: Config.Session.PreserveInDatabase needs SecondaryStorage and Session.StoreInDatabase")
	}
	_, takes := c.SecondaryStorage.(SecondaryTaker)
	if c.SecondaryStorage != nil && !takes && !c.Verification.StoreInDatabase {
		errs[1] = errors.New("auth: Config.SecondaryStorage cannot redeem verifications, it is no SecondaryTaker: set Verification.StoreInDatabase")
	}
	return errors.Join(errs[:]...)
}

// checkTimes refuses negative durations.
func (c *Config) checkTimes() error {
	var errs []error
	for _, option := range []struct {
		name  string
		value time.Duration
	}{
		{"Session.ExpiresIn", c.Session.ExpiresIn},
		{"Session.UpdateAge", c.Session.UpdateAge},
		{"Session.FreshAge", c.Session.FreshAge},
		{"Session.CookieCache.MaxAge", c.Session.CookieCache.MaxAge},
		{"Session.CookieCache.RenewAge", c.Session.CookieCache.RenewAge},
		{"EmailPassword.ResetPasswordExpiresIn", c.EmailPassword.ResetPasswordExpiresIn},
		{"EmailVerification.ExpiresIn", c.EmailVerification.ExpiresIn},
		{"User.Delete.TokenExpiresIn", c.User.Delete.TokenExpiresIn},
	} {
		if option.value < 0 {
			errs = append(errs, fmt.Errorf("auth: Config.%s is negative", option.name))
		}
	}
	return errors.Join(errs...)
}

// newSiteFinder makes the finder of the sites that are allowed. It returns the
// origins that are trusted with them.
func (c *Config) newSiteFinder(path string, s *signer, address *addressResolver) (*siteFinder, []originPattern, error) {
	hosts, hostErr := c.DynamicBaseURL.compile()
	fallback, fallbackErr := c.DynamicBaseURL.fallback()
	cookies, cookieErr := c.dynamicCookies(s)
	f := &siteFinder{hosts: hosts, path: path, proxies: address, cookies: cookies}
	if c.DynamicBaseURL.fixed() {
		f.protocol = c.DynamicBaseURL.Protocol
	}
	var own []originPattern
	for _, host := range hosts {
		own = append(own, host)
	}
	err := errors.Join(hostErr, fallbackErr, cookieErr)
	if err == nil && fallback != nil {
		f.other = f.at(fallback)
		own = append(own, exactOrigin(f.other.origin))
	}
	return f, own, err
}

// dynamicCookies returns what gives the cookies of a site. They are made once for
// each scheme, unless the host is their domain.
func (c *Config) dynamicCookies(s *signer) (func(base *url.URL) *sessionCookies, error) {
	shared, sealErr := c.sharedCookies(s)
	config := *c
	protocol := ""
	if c.DynamicBaseURL.fixed() && !c.Cookies.CrossSubDomain {
		protocol = c.DynamicBaseURL.Protocol // also for a Fallback with the other scheme
	}
	made := func(base *url.URL) *sessionCookies {
		scheme := protocol
		setDefault(&scheme, base.Scheme)
		return config.cookiesAt(&url.URL{Scheme: scheme, Host: base.Host}, shared)
	}
	plain, secure := made(&url.URL{Scheme: "http", Host: "a"}), made(&url.URL{Scheme: "https", Host: "a"})
	err := errors.Join(sealErr, plain.validate())
	if c.Cookies.CrossSubDomain && c.Cookies.Domain == "" {
		return made, err
	}
	return func(base *url.URL) *sessionCookies {
		if base.Scheme == "https" {
			return secure
		}
		return plain
	}, err
}

// newSessionCookies makes the cookies of an instance with one site.
func (c *Config) newSessionCookies(base *url.URL, s *signer) (*sessionCookies, error) {
	shared, err := c.sharedCookies(s)
	cookies := c.cookiesAt(base, shared)
	return cookies, errors.Join(err, cookies.validate())
}

// sharedCookies is what the cookies of all sites have in common.
func (c *Config) sharedCookies(s *signer) (sessionCookies, error) {
	cache := c.session().CookieCache
	seal, err := newCacheSeal(cache.Strategy, s, secretValues(c.Secret, c.Secrets))
	return sessionCookies{signer: s, cache: cache, seal: seal, stateless: c.Stateless}, err
}

// cookiesAt returns the cookies of one site.
func (c *Config) cookiesAt(base *url.URL, shared sessionCookies) *sessionCookies {
	shared.tokenCookie = c.cookie(base, "session_token", c.Cookies.SessionToken)
	shared.tokenCookie.maxAge = int(c.session().ExpiresIn / time.Second)
	shared.dataCookie = c.cookie(base, "session_data", c.Cookies.SessionData)
	shared.dataCookie.maxAge = int(shared.cache.MaxAge / time.Second)
	shared.forgetCookie = c.cookie(base, "dont_remember", c.Cookies.DontRemember)
	shared.accountCookie = c.cookie(base, "account_data", CookieOverride{})
	shared.stateCookie = c.cookie(base, "oauth_state", CookieOverride{})
	return &shared
}

// session returns the options of sessions with their defaults.
func (c *Config) session() SessionOptions {
	o := c.Session
	if c.Stateless {
		setDefault(&o.ExpiresIn, defaultSessionLifetime)
		o.CookieCache = o.CookieCache.stateless(o.ExpiresIn)
	}
	return o.withDefaults()
}

// cookie is one cookie with its name and attributes (contract section 7.1).
func (c *Config) cookie(base *url.URL, name string, override CookieOverride) cookie {
	secure := base.Scheme == "https" && !c.Cookies.NeverSecure || c.Cookies.AlwaysSecure
	made := cookie{name: c.Cookies.name(name, override), path: "/", httpOnly: true, secure: secure, sameSite: "lax"}
	if secure {
		made.name = securePrefix + made.name
	}
	if c.Cookies.CrossSubDomain {
		made.domain = c.Cookies.Domain
		if host := base.Hostname(); !strings.Contains(host, ":") { // IPv6 addresses are no domains
			setDefault(&made.domain, host)
		}
	}
	c.Cookies.Default.apply(&made)
	override.apply(&made)
	return made
}

// name is that of a cookie without __Secure-.
func (c *Cookies) name(name string, override CookieOverride) string {
	if override.Name != "" {
		return override.Name
	}
	prefix := c.Prefix
	setDefault(&prefix, defaultPrefix)
	return prefix + "." + name
}

func (a CookieAttributes) apply(c *cookie) {
	if a.Path != "" {
		c.path = a.Path
	}
	if a.Domain != "" {
		c.domain = a.Domain
	}
	switch a.SameSite {
	case http.SameSiteLaxMode:
		c.sameSite = "lax"
	case http.SameSiteStrictMode:
		c.sameSite = "strict"
	case http.SameSiteNoneMode:
		c.sameSite = "none"
	}
	c.partitioned = c.partitioned || a.Partitioned
	c.httpOnly = c.httpOnly && !a.Scriptable
}

// runNow is the default of Config.Background.
func runNow(task func()) { task() }
