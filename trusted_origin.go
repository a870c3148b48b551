package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// trustedOrigins decides which origins may send requests with cookies and
// which URLs a response may redirect to (contract section 9.3). It holds the
// own origins, the configured patterns and, if there is one, a
// source of patterns for each request.
//
// A pattern is one of
//
//	https://example.com      one web origin, written as browsers write it
//	https://*.example.com    the origins that a glob matches
//	*.example.com:8080       the hosts that a glob matches, with any scheme
//	myapp://                 every URL of an application's own scheme
//	myapp://host/path        that host, that path and what lies below it
//	exp://*.example.com/*    globs over host and path
//
// Values are compared parsed and never as text. What two URL parsers could
// read in two ways is not trusted, whatever the patterns say: control
// characters, backslashes, user information, hosts that need percent-decoding
// or IDNA, unusual spellings of IPv4 addresses, a missing or a third slash
// after the scheme.
//
// It is safe for concurrent use.
type trustedOrigins struct {
	patterns   []originPattern
	perRequest func(*http.Request) []string // may be nil; patterns with mistakes in them are ignored
}

// ownOriginOf returns the origin of a base URL.
func ownOriginOf(base *url.URL) (exactOrigin, error) {
	own, ok := parseLocation(base.String())
	if !ok || !own.web() {
		return "", fmt.Errorf("auth: base URL %q: want http or https, a host, no user information", base.Redacted())
	}
	return exactOrigin(own.origin()), nil
}

// newTrustedOrigins trusts the own origins and the patterns. Empty patterns
// are skipped; the mistakes in all others are reported together.
func newTrustedOrigins(own []originPattern, patterns []string) (*trustedOrigins, error) {
	t := &trustedOrigins{patterns: own}
	var mistakes []error
	for _, text := range patterns {
		if text == "" {
			continue
		}
		pattern, err := compileOriginPattern(text)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("auth: trusted origin %q: %w", text, err))
			continue
		}
		t.patterns = append(t.patterns, pattern)
	}
	return t, errors.Join(mistakes...)
}

// trustsOrigin reports whether the value of an Origin or Referer header is
// trusted.
func (t *trustedOrigins) trustsOrigin(r *http.Request, value string) bool {
	l, ok := parseLocation(value)
	return ok && t.trusts(r, l)
}

// trustsURL reports whether a response may redirect to value, which is an
// absolute URL of a trusted origin or a path on this one.
func (t *trustedOrigins) trustsURL(r *http.Request, value string) bool {
	if strings.HasPrefix(value, "/") {
		return isLocalPath(value)
	}
	return t.trustsOrigin(r, value)
}

func (t *trustedOrigins) trusts(r *http.Request, l location) bool {
	for _, pattern := range t.patterns {
		if pattern.matches(l) {
			return true
		}
	}
	if t.perRequest == nil || r == nil { // nil: a Call without a request
		return false
	}
	for _, text := range t.perRequest(r) {
		if pattern, err := compileOriginPattern(text); err == nil && pattern.matches(l) {
			return true
		}
	}
	return false
}

// isLocalPath reports whether value is a path on the same origin for every
// reader: a browser, a proxy that decodes it, a router that cleans it.
func isLocalPath(value string) bool {
	if !strings.HasPrefix(value, "/") || !isUnambiguous(value) {
		return false
	}
	path, _, _ := splitReference(value)
	lower := strings.ToLower(path)
	if strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") {
		return false
	}
	// "/.//evil.example" resolves to "//evil.example".
	return !strings.HasPrefix(path, "//") && !strings.HasPrefix(resolveDots(path), "//")
}

// An originPattern is one compiled entry of the list of trusted origins.
type originPattern interface {
	matches(location) bool
}

// exactOrigin is a web origin in canonical form.
type exactOrigin string

func (p exactOrigin) matches(l location) bool { return l.web() && l.origin() == string(p) }

// hostGlob matches the host and port of URLs of any scheme.
type hostGlob struct{ authority authorityGlob }

func (p hostGlob) matches(l location) bool {
	return l.host != "" && p.authority.matches(l.authority())
}

// originGlob matches web origins.
type originGlob struct {
	scheme    glob
	authority authorityGlob
}

func (p originGlob) matches(l location) bool {
	return l.web() && p.scheme.matches(l.scheme) && p.authority.matches(l.authority())
}

// appOrigin matches URLs of an application's own scheme. An empty authority or
// path matches any.
type appOrigin struct{ scheme, authority, path string }

func (p appOrigin) matches(l location) bool {
	return l.scheme == p.scheme &&
		(p.authority == "" || l.host == p.authority) &&
		(p.path == "" || l.path == p.path || strings.HasPrefix(l.path, p.path+"/"))
}

// appGlob is an appOrigin with wildcards. A nil part matches any.
type appGlob struct {
	scheme    string
	authority *authorityGlob
	path      *glob
}

func (p appGlob) matches(l location) bool {
	if l.scheme != p.scheme || strings.Contains(l.host, "@") {
		return false
	}
	if p.authority != nil && !p.authority.matches(l.host) {
		return false
	}
	path := l.path
	if path == "" {
		path = "/"
	}
	return p.path == nil || p.path.matches(path)
}

// An authorityGlob matches host and port. One whose host consists of digits,
// dots and wildcards names a range of IPv4 addresses and matches nothing else:
// 192.168.* does not match 192.168.evil.example.
type authorityGlob struct {
	glob glob
	ipv4 bool
}

func newAuthorityGlob(pattern string) authorityGlob {
	host, _ := splitPort(pattern)
	return authorityGlob{glob: newGlob(pattern), ipv4: isIPv4Range(host)}
}

func (p authorityGlob) matches(authority string) bool {
	if strings.Contains(authority, "@") || !p.glob.matches(authority) {
		return false
	}
	host, _ := splitPort(authority)
	return !p.ipv4 || isIPv4(host)
}

func isIPv4Range(host string) bool {
	return strings.ContainsAny(host, "0123456789") && strings.Trim(host, "0123456789.*?") == ""
}

func compileOriginPattern(pattern string) (originPattern, error) {
	if strings.TrimSpace(pattern) != pattern {
		return nil, errors.New("blanks around it")
	}
	scheme, rest, absolute := strings.Cut(pattern, "://")
	switch wild := hasWildcard(pattern); {
	case !absolute && wild:
		return compileHostGlob(pattern)
	case !absolute:
		return nil, errors.New("no scheme; write https://example.com or *.example.com")
	case hasWildcard(scheme) || isWebScheme(scheme) && wild:
		return compileOriginGlob(scheme, rest)
	case wild:
		return compileAppGlob(scheme, rest)
	case isWebScheme(strings.ToLower(scheme)):
		return compileExactOrigin(pattern)
	}
	return compileAppOrigin(pattern)
}

func compileExactOrigin(pattern string) (originPattern, error) {
	l, ok := parseLocation(pattern)
	if !ok {
		return nil, errors.New("not an origin; international host names are written in punycode")
	}
	if origin := l.origin(); origin != pattern {
		return nil, fmt.Errorf("would never match; write %s", origin)
	}
	return exactOrigin(pattern), nil
}

func compileHostGlob(pattern string) (originPattern, error) {
	if err := checkHostGlob(pattern, ""); err != nil {
		return nil, err
	}
	return hostGlob{newAuthorityGlob(pattern)}, nil
}

func compileOriginGlob(scheme, authority string) (originPattern, error) {
	schemes := newGlob(scheme)
	if !schemes.matches("http") && !schemes.matches("https") {
		return nil, errors.New("a wildcard in the scheme matches only http and https")
	}
	if err := checkHostGlob(authority, scheme); err != nil {
		return nil, err
	}
	return originGlob{schemes, newAuthorityGlob(authority)}, nil
}

func compileAppOrigin(pattern string) (originPattern, error) {
	l, ok := parseLocation(pattern)
	if !ok {
		return nil, errors.New("not a URL of an application's own scheme")
	}
	return appOrigin{l.scheme, l.host, l.path}, nil
}

func compileAppGlob(scheme, rest string) (originPattern, error) {
	scheme, _, ok := cutScheme(scheme + ":")
	switch {
	case !ok || isScriptScheme(scheme):
		return nil, errors.New("not a scheme that can be trusted")
	case isWebScheme(scheme):
		return nil, fmt.Errorf("would never match; write %s://", scheme)
	}
	rest, _, _ = strings.Cut(rest, "#")
	authority, path, _ := strings.Cut(rest, "/")
	p := appGlob{scheme: scheme}
	if authority != "" {
		p.authority = new(newAuthorityGlob(strings.ToLower(authority)))
	}
	if path = appPath(path); path != "" {
		p.path = new(newGlob(path))
	}
	return p, nil
}

// checkHostGlob finds the mistakes in a pattern for hosts: what can never
// match, and wildcards that reach into the names that anybody can register.
func checkHostGlob(authority, scheme string) error {
	host, port := splitPort(authority)
	switch {
	case strings.Contains(authority, "/"):
		return errors.New("an origin has no path and no slash at its end")
	case strings.Trim(port, "0123456789*?") != "":
		return errors.New("the port is not a number")
	case isWebScheme(scheme) && port == defaultPort(scheme):
		return fmt.Errorf("would never match; leave out the default port %s", port)
	case !hasWildcard(host):
		return checkHost(host)
	case strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-._*?") != "":
		return errors.New("would never match; hosts are lower-case ASCII")
	}
	return checkHostWildcards(host)
}

func checkHost(host string) error {
	if canonical, ok := canonicalHost(host); !ok || canonical != host {
		return errors.New("the host is not in its canonical form")
	}
	return nil
}

// checkHostWildcards demands that a wildcard stands for whole labels where
// anything else would let strangers register a match: *.example.com and
// preview-*.example.com are fine, *example.com and example.* are not.
func checkHostWildcards(host string) error {
	if strings.Trim(host, "*") == "" || isIPv4Range(host) {
		return nil
	}
	labels := strings.Split(host, ".")
	if last := labels[len(labels)-1]; hasWildcard(last) {
		return errors.New("anybody can register a match; a wildcard cannot end the host")
	}
	if owner := labels[len(labels)-2]; hasWildcard(owner) && strings.Trim(owner, "*") != "" {
		return errors.New("anybody can register a match; put a dot after the wildcard")
	}
	return nil
}
