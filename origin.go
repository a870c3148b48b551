package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// OriginCheck weakens the protection against cross-site requests. The zero
// value is full protection: a request with cookies that may change something
// must name a trusted origin in its Origin or Referer header, a sign-in or
// sign-up from a browser must too, and every URL that a response could
// redirect to must be trusted.
type OriginCheck struct {
	// DisableCSRFCheck accepts requests from every origin. Any web site can
	// then act in the name of a visitor who is signed in here, unless the
	// session cookie is SameSite=Strict or something in front checks origins.
	// URLs to redirect to are still checked.
	DisableCSRFCheck bool

	// DisableOriginCheck accepts every URL to redirect to and every origin.
	// Anybody can then write a link to this server that sends its users, and
	// with them one-time tokens, to a site of his choice. What is left is that
	// a sign-in form on another site cannot be submitted to this one;
	// DisableCSRFCheck takes that away too.
	DisableOriginCheck bool

	// ExemptPaths does what DisableOriginCheck does for these paths and what
	// lies below them. Paths are without the base path: "/sign-in/social".
	// Default: none.
	ExemptPaths []string
}

// originCheck protects endpoints from requests that another site makes a
// browser send, and from redirects to other sites (contract sections 9.1 and
// 9.2). Its methods take the path of the matched route without the base path.
// Direct calls from Go code are not checked.
type originCheck struct {
	trusted       *trustedOrigins
	disableCSRF   bool
	disableOrigin bool
	exemptPaths   []string // without trailing slashes
}

// newOriginCheck reports all mistakes in the configuration together.
func newOriginCheck(config OriginCheck, trusted *trustedOrigins) (*originCheck, error) {
	c := &originCheck{
		trusted:       trusted,
		disableCSRF:   config.DisableCSRFCheck,
		disableOrigin: config.DisableOriginCheck,
	}
	var mistakes []error
	for _, path := range config.ExemptPaths {
		exempt := strings.TrimRight(path, "/")
		if !strings.HasPrefix(exempt, "/") {
			mistakes = append(mistakes, fmt.Errorf("auth: OriginCheck.ExemptPaths: %q is not a path below the base path", path))
			continue
		}
		c.exemptPaths = append(c.exemptPaths, exempt)
	}
	return c, errors.Join(mistakes...)
}

// checkOrigin guards every endpoint: a request that may change something and
// carries cookies must come from a trusted origin.
//
// Errors: MISSING_OR_NULL_ORIGIN, INVALID_ORIGIN (403).
func (c *originCheck) checkOrigin(r *http.Request, path string) error {
	if isSafeMethod(r.Method) || !hasCookies(r) {
		return nil
	}
	return c.requireTrustedOrigin(r, path)
}

// checkFormCSRF guards sign-in and sign-up, which are worth forging without
// any cookie (login CSRF). A browser gives itself away by cookies, fetch
// metadata, Origin or Referer and is then held to a trusted origin; a client
// with none of them is no browser and passes.
//
// Errors: CROSS_SITE_NAVIGATION_LOGIN_BLOCKED, MISSING_OR_NULL_ORIGIN,
// INVALID_ORIGIN (403).
func (c *originCheck) checkFormCSRF(r *http.Request, path string) error {
	switch {
	case c.disableCSRF:
		return nil
	case hasCookies(r):
		return c.requireTrustedOrigin(r, path)
	case isCrossSiteNavigation(r):
		return ErrCrossSiteNavigationLoginBlocked.With(http.StatusForbidden)
	case hasFetchMetadata(r) || sourceOf(r) != "":
		return c.requireTrustedOrigin(r, path)
	}
	return nil
}

// checkURL guards one parameter that a response may redirect to. An absent or
// empty one passes.
//
// Errors: the parameter's code (403).
func (c *originCheck) checkURL(r *http.Request, path string, field urlField, value string) error {
	if value == "" || c.disableOrigin || c.isExempt(path) || c.trusted.trustsURL(r, value) {
		return nil
	}
	return field.code().With(http.StatusForbidden)
}

func (c *originCheck) requireTrustedOrigin(r *http.Request, path string) error {
	if c.disableCSRF || c.disableOrigin || c.isExempt(path) {
		return nil
	}
	source := sourceOf(r)
	if source == "null" && headerLine(r.Header, "Sec-Fetch-Site") == "same-origin" && headerLine(r.Header, "Origin") == "null" {
		source = ownOrigin(r)
	}
	switch {
	case source == "" || source == "null":
		return ErrMissingOrNullOrigin.With(http.StatusForbidden)
	case !c.trusted.trustsOrigin(r, source):
		return ErrInvalidOrigin.With(http.StatusForbidden)
	}
	return nil
}

func (c *originCheck) isExempt(path string) bool {
	for _, exempt := range c.exemptPaths {
		if below, ok := strings.CutPrefix(path, exempt); ok && (below == "" || below[0] == '/') {
			return true
		}
	}
	return false
}

// A urlField names a parameter that holds a URL to redirect to, as messages
// spell it; redirectURLField is the parameter redirectTo.
type urlField string

const (
	callbackURLField        urlField = "callbackURL"
	redirectURLField        urlField = "redirectURL"
	errorCallbackURLField   urlField = "errorCallbackURL"
	newUserCallbackURLField urlField = "newUserCallbackURL"
)

func (f urlField) code() Code {
	switch f {
	case redirectURLField:
		return ErrInvalidRedirectURL
	case errorCallbackURLField:
		return ErrInvalidErrorCallbackURL
	case newUserCallbackURLField:
		return ErrInvalidNewUserCallbackURL
	}
	return ErrInvalidCallbackURL
}

// notString is the error for a body in which the parameter is neither absent,
// falsy nor a string.
func (f urlField) notString() *APIError {
	return NewError(http.StatusBadRequest, "", "Invalid "+string(f)+": expected a string")
}

// sourceOf returns where the request says it comes from: an origin, the URL
// of a page, "null" or nothing.
func sourceOf(r *http.Request) string {
	if origin := headerLine(r.Header, "Origin"); origin != "" {
		return origin
	}
	return headerLine(r.Header, "Referer")
}

// ownOrigin returns the origin that the request was sent to. It serves only
// where the browser vouches with Sec-Fetch-Site that this is also the origin it
// comes from. Scripts can set neither that header nor, across origins,
// X-Forwarded-Proto, which tells the scheme behind a proxy that ends TLS.
func ownOrigin(r *http.Request) string {
	scheme := headerLine(r.Header, "X-Forwarded-Proto")
	switch {
	case isWebScheme(scheme):
	case r.TLS != nil:
		scheme = "https"
	default:
		scheme = "http"
	}
	return scheme + "://" + r.Host
}

func isSafeMethod(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// hasCookies reports whether there is a Cookie header, even an empty one.
func hasCookies(r *http.Request) bool { return len(r.Header["Cookie"]) > 0 }

// hasFetchMetadata reports whether the request carries W3C fetch metadata, so
// comes from a browser.
func hasFetchMetadata(r *http.Request) bool {
	return strings.TrimSpace(headerLine(r.Header, "Sec-Fetch-Site")) != "" ||
		strings.TrimSpace(headerLine(r.Header, "Sec-Fetch-Mode")) != "" ||
		strings.TrimSpace(headerLine(r.Header, "Sec-Fetch-Dest")) != ""
}

func isCrossSiteNavigation(r *http.Request) bool {
	return headerLine(r.Header, "Sec-Fetch-Site") == "cross-site" && headerLine(r.Header, "Sec-Fetch-Mode") == "navigate"
}

// headerLine returns all values of a header as the one line they stand for
// (RFC 9110 section 5.3), so that a second Origin spoils the first instead of
// hiding behind it.
func headerLine(h http.Header, name string) string {
	return strings.Join(h[name], ", ")
}
