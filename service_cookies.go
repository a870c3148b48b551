package auth

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Cookie returns a cookie of a plugin without a value, with the name and attributes
// that the configuration gives it: the short name behind the prefix of all cookies,
// Path=/, HttpOnly, SameSite=Lax, Secure under https. Config.Cookies.Plugins changes
// them. A maxAge of zero is a cookie that ends with the browser.
func (s *Services) Cookie(ctx context.Context, short string, maxAge time.Duration) *http.Cookie {
	made := s.config.cookie(s.local().siteOf(ctx).base(), short, s.config.Cookies.Plugins[short])
	made.maxAge = int(maxAge / time.Second)
	return made.standard()
}

// SessionCookie returns the cookie of the session without its value.
func (s *Services) SessionCookie(ctx context.Context) *http.Cookie {
	return s.local().cookiesOf(ctx).tokenCookie.standard()
}

// ForgetCookie returns the cookie that marks a session which is not to be remembered,
// without its value, which is "true", signed.
func (s *Services) ForgetCookie(ctx context.Context) *http.Cookie {
	return s.local().cookiesOf(ctx).forgetCookie.standard()
}

// SetCookie adds a cookie to the response, in place of one with the same name that
// is there already. The value is percent-encoded.
func (s *Services) SetCookie(ctx context.Context, c *http.Cookie) {
	x := ExchangeFrom(ctx)
	x.takeBackCookie(c.Name)
	x.setCookie(cookieOf(c))
}

// SetSignedCookie is SetCookie for a value that nobody else can make, as
// SignedCookie reads it.
func (s *Services) SetSignedCookie(ctx context.Context, c *http.Cookie) {
	signed := *c
	signed.Value = s.local().signer.signCookie(c.Value)
	s.SetCookie(ctx, &signed)
}

// ExpireCookie makes the browser forget a cookie and takes back what the response
// would have set.
func (s *Services) ExpireCookie(ctx context.Context, c *http.Cookie) {
	ExchangeFrom(ctx).expireCookie(cookieOf(c))
}

// SignedCookie returns the value inside of a signed cookie of the request. It is not
// ok if there is none or its signature does not hold: there is no value then.
func (s *Services) SignedCookie(ctx context.Context, name string) (value string, ok bool) {
	raw, _ := cookieValue(ExchangeFrom(ctx).headers, name)
	return s.local().signer.openCookie(raw)
}

// CookieNames returns the names of the cookies in the request, in their order, each
// once.
func (s *Services) CookieNames(ctx context.Context) (names []string) {
	seen := make(map[string]bool)
	for name := range requestCookies(ExchangeFrom(ctx).headers) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// SetsCookie reports whether the response sets or expires a cookie already.
func (s *Services) SetsCookie(ctx context.Context, name string) bool {
	return ExchangeFrom(ctx).setsCookie(name)
}

// SentCookie returns the cookie with a name that the response sets, with its value as
// it was before it was percent-encoded, nil if the response sets none or expires it.
func (s *Services) SentCookie(ctx context.Context, name string) *http.Cookie {
	for _, line := range slices.Backward(ExchangeFrom(ctx).header["Set-Cookie"]) {
		if !strings.HasPrefix(line, name+"=") {
			continue
		}
		sent, err := http.ParseSetCookie(line)
		if err != nil || sent.Value == "" || sent.MaxAge < 0 {
			return nil
		}
		sent.Value = decodeURIComponent(sent.Value)
		return sent
	}
	return nil
}

// standard returns a cookie in the form of net/http.
func (c cookie) standard() *http.Cookie {
	made := &http.Cookie{
		Name: c.name, Value: c.value, MaxAge: c.maxAge, Domain: c.domain, Path: c.path,
		HttpOnly: c.httpOnly, Secure: c.secure, Partitioned: c.partitioned,
	}
	switch c.sameSite {
	case "lax":
		made.SameSite = http.SameSiteLaxMode
	case "strict":
		made.SameSite = http.SameSiteStrictMode
	case "none":
		made.SameSite = http.SameSiteNoneMode
	}
	return made
}

// cookieOf is the opposite of standard.
func cookieOf(c *http.Cookie) cookie {
	made := cookie{
		name: c.Name, value: c.Value, maxAge: c.MaxAge, domain: c.Domain, path: c.Path,
		httpOnly: c.HttpOnly, secure: c.Secure, partitioned: c.Partitioned,
	}
	CookieAttributes{SameSite: c.SameSite}.apply(&made)
	return made
}
