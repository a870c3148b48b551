package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Cookies configure names and attributes of the session's cookies.
type Cookies struct {
	// Prefix of the names. Default "better-auth".
	Prefix string

	// AlwaysSecure makes them Secure, with the prefix __Secure-, when the base
	// URL does not begin with https. NeverSecure is the opposite and lets anyone on
	// the network read them.
	AlwaysSecure bool
	NeverSecure  bool

	// HostPrefix gives names the prefix __Host- in the place of __Secure-: browsers
	// take such a cookie from this very host alone, over https and for all paths, so
	// that no subdomain can plant one. Servers of the original cannot share these
	// cookies, nor do its helpers for middleware find them. Not with CrossSubDomain,
	// Domain or Path.
	HostPrefix bool

	// CrossSubDomain shares the cookies with the subdomains of Domain, or of
	// the base URL's host if it is empty. Every one of those can then act for the
	// user.
	CrossSubDomain bool
	Domain         string

	// Default changes the attributes of all cookies, SessionToken, SessionData,
	// DontRemember, AccountData and State name and attributes of one.
	Default      CookieAttributes
	SessionToken CookieOverride
	SessionData  CookieOverride
	DontRemember CookieOverride
	AccountData  CookieOverride // of AccountOptions.StoreCookie
	State        CookieOverride // of a sign-in at a provider

	// Plugins name and change the cookies of plugins, by their short names such as
	// "two_factor".
	Plugins map[string]CookieOverride
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

// CookieOverride is the name of one cookie, without __Secure- or __Host-, and its
// attributes.
type CookieOverride struct {
	Name string
	CookieAttributes
}

const (
	defaultPrefix = "better-auth"
	securePrefix  = "__Secure-"
	hostPrefix    = "__Host-"
)

// securePrefix begins the names of cookies that are Secure (RFC 6265bis section
// 4.1.3).
func (c *Cookies) securePrefix() string {
	if c.HostPrefix {
		return hostPrefix
	}
	return securePrefix
}

// check returns all contradictions.
func (c *Cookies) check() error {
	var errs []error
	if c.AlwaysSecure && c.NeverSecure {
		errs = append(errs, errors.New("auth: Config.Cookies is both AlwaysSecure and NeverSecure"))
	}
	if !c.HostPrefix {
		return errors.Join(errs...)
	}
	if c.NeverSecure || c.CrossSubDomain || c.Domain != "" {
		errs = append(errs, errors.New("auth: Config.Cookies.HostPrefix is for cookies that are Secure and of one host: not with NeverSecure, CrossSubDomain or Domain"))
	}
	for name, a := range c.attributes() {
		if a.Domain != "" || a.Path != "" && a.Path != "/" {
			errs = append(errs, fmt.Errorf("auth: Config.Cookies.HostPrefix: %s has a Domain or a Path", name))
		}
	}
	return errors.Join(errs...)
}

// attributes returns those that change cookies, by the names of the options.
func (c *Cookies) attributes() map[string]CookieAttributes {
	all := map[string]CookieAttributes{
		"Default":      c.Default,
		"SessionToken": c.SessionToken.CookieAttributes,
		"SessionData":  c.SessionData.CookieAttributes,
		"DontRemember": c.DontRemember.CookieAttributes,
		"AccountData":  c.AccountData.CookieAttributes,
		"State":        c.State.CookieAttributes,
	}
	for name, override := range c.Plugins {
		all["Plugins["+name+"]"] = override.CookieAttributes
	}
	return all
}

// dynamicCookies returns what gives the cookies of a site. They are made once for
// each scheme, unless the host is their domain.
func (c *Config) dynamicCookies(s *signer, seal SessionSeal) (func(base *url.URL) *sessionCookies, error) {
	shared, sealErr := c.sharedCookies(s, seal)
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
func (c *Config) newSessionCookies(base *url.URL, s *signer, seal SessionSeal) (*sessionCookies, error) {
	shared, err := c.sharedCookies(s, seal)
	cookies := c.cookiesAt(base, shared)
	return cookies, errors.Join(err, cookies.validate())
}

// sharedCookies is what the cookies of all sites have in common. A seal other than
// nil takes the place of the strategy's.
func (c *Config) sharedCookies(s *signer, seal SessionSeal) (sessionCookies, error) {
	cache := c.session().CookieCache
	secrets := secretValues(c.Secret, c.Secrets)
	own, err := newCacheSeal(cache.Strategy, s, secrets)
	if seal == nil {
		seal = ownSeal{own}
	}
	accountSeal, accountErr := newEncrypter(accountSalt, secrets...)
	return sessionCookies{
		signer: s, cache: cache, seal: seal, stateless: c.Stateless,
		stateInCookie: c.stateInCookie(), storeAccount: c.Stateless || c.Account.StoreCookie, accountSeal: accountSeal,
	}, errors.Join(err, accountErr)
}

func (c *Config) stateInCookie() bool {
	return c.Account.State == StateInCookie || c.Account.State == "" && c.Stateless
}

// accountCookieAge is that of the copy of the session.
func (c *Config) accountCookieAge() time.Duration {
	age := c.session().CookieCache.MaxAge
	setDefault(&age, defaultCacheAge)
	return age
}

// cookiesAt returns the cookies of one site.
func (c *Config) cookiesAt(base *url.URL, shared sessionCookies) *sessionCookies {
	shared.tokenCookie = c.cookie(base, "session_token", c.Cookies.SessionToken)
	shared.tokenCookie.maxAge = int(c.session().ExpiresIn / time.Second)
	shared.dataCookie = c.cookie(base, "session_data", c.Cookies.SessionData)
	shared.dataCookie.maxAge = int(shared.cache.MaxAge / time.Second)
	shared.forgetCookie = c.cookie(base, "dont_remember", c.Cookies.DontRemember)
	shared.accountCookie = c.cookie(base, "account_data", c.Cookies.AccountData)
	shared.accountCookie.maxAge = int(c.accountCookieAge() / time.Second)
	if c.stateInCookie() {
		shared.stateCookie = c.cookie(base, "oauth_state", c.Cookies.State)
		shared.stateCookie.maxAge = sealedStateAge
		return &shared
	}
	shared.stateCookie = c.cookie(base, "state", c.Cookies.State)
	shared.stateCookie.maxAge = stateCookieAge
	return &shared
}

// cookie is one cookie with its name and attributes (contract section 7.1).
func (c *Config) cookie(base *url.URL, name string, override CookieOverride) cookie {
	secure := base.Scheme == "https" && !c.Cookies.NeverSecure || c.Cookies.AlwaysSecure
	made := cookie{name: c.Cookies.name(name, override), path: "/", httpOnly: true, secure: secure, sameSite: "lax"}
	if secure {
		made.name = c.Cookies.securePrefix() + made.name
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

// name is that of a cookie without securePrefix.
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
