package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
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

	// AppName is what people know the application by, in authenticator apps for
	// instance. Default "Better Auth", as in the original.
	AppName string

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

	// Providers are where users can sign in besides here. HTTPClient makes the
	// requests to them; each has ten seconds, whatever its own timeout. The default
	// is a client with a pool of its own.
	Providers  []Provider
	HTTPClient *http.Client

	// Plugins add what is beyond the core. Where they do something at the same
	// moment they take turns in this order.
	Plugins []Plugin

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

	// OnEvent is told of every security event (EventSignIn, EventSignInFailed, …), so
	// that the program can count it or hand it on; docs/events.md lists them. It runs
	// in the request that caused the event, when what the event is about is stored, at
	// the same time on many goroutines: it must be fast, and leave what waits or calls
	// endpoints to a goroutine of its own. A panic is logged. Default: none; the Logger
	// gets a record of each event anyway.
	OnEvent func(ctx context.Context, e Event)

	// Logger gets internal errors at level Error, what goes wrong elsewhere, such as at
	// providers, and suspicious events at level Warn, and ordinary events at level Info.
	// Default slog.Default().
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

	// Linking says when an account at a provider becomes one of a user who exists.
	Linking AccountLinking

	// EncryptTokens encrypts access and refresh tokens in the database. Tokens that
	// were stored plain before are still read.
	EncryptTokens bool

	// KeepTokens leaves the stored tokens as they are when the user signs in again.
	KeepTokens bool

	// StoreCookie keeps the account of the last sign-in at a provider in an encrypted
	// cookie too, for requests with useAccountCookie. Stateless servers always do.
	StoreCookie bool

	// State says where flows wait for their callback. Default StateInDatabase;
	// StateInCookie on stateless servers.
	State StateStrategy

	// SkipStateCookieCheck accepts a callback in another browser than the one in
	// which its flow began, with StateInDatabase. Whoever makes somebody else follow
	// a callback URL then signs them in as himself.
	SkipStateCookieCheck bool
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

const defaultBasePath = "/api/auth"

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
		return nil, fmt.Errorf("auth: %s %q has more than scheme, host and path", option, u.Redacted())
	}
	return u, nil
}

// newSiteFinder makes the finder of the sites that are allowed. It returns the
// origins that are trusted with them.
func (c *Config) newSiteFinder(path string, s *signer, seal SessionSeal, address *addressResolver) (*siteFinder, []originPattern, error) {
	hosts, hostErr := c.DynamicBaseURL.compile()
	fallback, fallbackErr := c.DynamicBaseURL.fallback()
	cookies, cookieErr := c.dynamicCookies(s, seal)
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

// session returns the options of sessions with their defaults.
func (c *Config) session() SessionOptions {
	o := c.Session
	if c.Stateless {
		o.CookieCache = o.CookieCache.stateless(o.lifetime())
	}
	return o.withDefaults()
}

// runNow is the default of Config.Background.
func runNow(task func()) { task() }
