package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// DynamicBaseURL lets one instance serve several hosts: the base URL of each
// request is the host that it was sent to, if that is allowed. Links in mails,
// redirects and cookies follow it.
//
// The host is that of the request. Only if a trusted proxy
// (ClientAddress.TrustedProxies) is at the other end of the connection, an
// X-Forwarded-Host goes before it. Without Fallback, a request for another host
// is refused with 421 Misdirected Request (RFC 9110 section 15.5.20).
//
// A direct Call takes the host of WithRequest, or the Host or X-Forwarded-Host
// among WithHeaders; the header of an http.Request has no Host. Without either
// it takes the base URL of the endpoint or hook that it is called from, else
// Fallback, else it fails with status 500.
type DynamicBaseURL struct {
	// AllowedHosts are the hosts, each with its port unless that is the default
	// of the scheme: "example.com", "localhost:3000", "[::1]:3000". A wildcard
	// stands for whole labels or a part of one that you own: "*.example.com",
	// "preview-*.example.com"; "localhost:*" has any port. Case does not matter.
	// The pages of all of them are trusted origins of each other.
	AllowedHosts []string

	// Protocol is the scheme of all hosts, "https" or "http". Default "": that of
	// the connection, or the X-Forwarded-Proto of a trusted proxy; only https
	// origins are trusted then, and http ones on loopback hosts. "auto" is the
	// same and trusts the origins of both. A Call that passes nothing but headers
	// has https, on loopback hosts http.
	Protocol string

	// Fallback is the base URL for hosts that are not allowed, and for direct
	// calls without a host: scheme, host and port. Default: none.
	Fallback string
}

func (d *DynamicBaseURL) set() bool {
	return len(d.AllowedHosts) > 0 || d.Protocol != "" || d.Fallback != ""
}

// fixed reports whether Protocol decides the scheme.
func (d *DynamicBaseURL) fixed() bool { return isWebScheme(d.Protocol) }

// compile returns the hosts, with all mistakes.
func (d *DynamicBaseURL) compile() ([]allowedHost, error) {
	var mistakes []error
	if len(d.AllowedHosts) == 0 {
		mistakes = append(mistakes, errors.New("auth: Config.DynamicBaseURL.AllowedHosts is empty"))
	}
	if d.Protocol != "" && d.Protocol != "auto" && !d.fixed() {
		mistakes = append(mistakes, fmt.Errorf("auth: Config.DynamicBaseURL.Protocol is %q; want https, http or auto", d.Protocol))
	}
	var hosts []allowedHost
	for _, pattern := range d.AllowedHosts {
		host, err := newAllowedHost(pattern, d.Protocol)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("auth: Config.DynamicBaseURL.AllowedHosts: %q: %w", pattern, err))
		}
		hosts = append(hosts, host)
	}
	return hosts, errors.Join(mistakes...)
}

// fallback returns the base URL for all other hosts, nil without one.
func (d *DynamicBaseURL) fallback() (*url.URL, error) {
	if d.Fallback == "" {
		return nil, nil
	}
	l, ok := parseLocation(d.Fallback)
	u, err := url.Parse(d.Fallback)
	if !ok || !l.web() || err != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, fmt.Errorf("auth: Config.DynamicBaseURL.Fallback %q is no http or https URL of a host without path; the path is Config.BasePath", d.Fallback)
	}
	return &url.URL{Scheme: l.scheme, Host: l.authority()}, nil
}

// An allowedHost is one entry of DynamicBaseURL.AllowedHosts, and the origins
// that are trusted with it (contract section 6.1).
type allowedHost struct {
	authority   authorityGlob
	https, http bool // schemes of trusted origins
}

func newAllowedHost(pattern, protocol string) (allowedHost, error) {
	pattern = strings.ToLower(pattern)
	host, _ := splitPort(pattern)
	err := checkHostGlob(pattern, protocol)
	switch {
	case host == "":
		err = errors.New("no host")
	case strings.Contains(pattern, "://"):
		err = errors.New("a host has no scheme; that is Protocol")
	case strings.Trim(host, "*") == "":
		err = errors.New("any host would be allowed; anybody could choose where mailed links lead")
	case !hasPlainLabels(host):
		err = errors.New("a label of the host is empty")
	}
	return allowedHost{
		authority: newAuthorityGlob(pattern),
		https:     protocol != "http",
		http:      protocol == "http" || protocol == "auto" || isLoopbackHost(host),
	}, err
}

// matches makes the entry a trusted origin.
func (h allowedHost) matches(l location) bool {
	return (l.scheme == "https" && h.https || l.scheme == "http" && h.http) && h.authority.matches(l.authority())
}

// hasPlainLabels reports whether a host has no empty label, also not at its end.
func hasPlainLabels(host string) bool { return !strings.Contains("."+host+".", "..") }

func isLoopbackHost(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "[::1]" || isIPv4(host) && strings.HasPrefix(host, "127.")
}

// A siteFinder finds the site that a request was sent to. It learns nothing
// from requests (GHSA-569q).
type siteFinder struct {
	hosts    []allowedHost
	protocol string // http or https; empty: that of the request
	path     string // the base path, empty or with a slash in front only
	other    *site  // for hosts that are not allowed; nil: none
	proxies  *addressResolver
	cookies  func(base *url.URL) *sessionCookies
}

// locate is the first step of every run.
//
// Errors: 421 for a host that is not allowed, 500 for a direct call without one.
func (f *siteFinder) locate(x *Exchange) error {
	if x.request == nil && x.headers["Host"] == nil && x.headers["X-Forwarded-Host"] == nil {
		return f.inherit(x)
	}
	found, err := f.find(x.request, x.headers)
	if err == nil {
		x.site = found
	}
	return err
}

// inherit serves a direct call that has no request: it concerns the site of the
// run that makes it.
func (f *siteFinder) inherit(x *Exchange) error {
	outer := ExchangeFrom(x.Context)
	switch {
	case outer != nil && outer.op.pipeline == x.op.pipeline && outer.site != nil:
		x.site = outer.site
	case f.other != nil:
		x.site = f.other
	default:
		return NewError(http.StatusInternalServerError, "", "The base URL of this call is unknown: pass WithRequest or headers with Host, or set DynamicBaseURL.Fallback")
	}
	return nil
}

// find returns the site of a request, or of headers alone if r is nil.
func (f *siteFinder) find(r *http.Request, h http.Header) (*site, error) {
	forwarded := f.proxies.speaksFor(r)
	claimed := claimedHost(r, h, forwarded)
	scheme := f.scheme(r, h, forwarded, claimed)
	if host, port, ok := canonicalAuthority(scheme, claimed); ok && hasPlainLabels(host) {
		authority := location{host: host, port: port}.authority()
		for i := range f.hosts {
			if f.hosts[i].authority.matches(authority) {
				return f.at(&url.URL{Scheme: scheme, Host: authority}), nil
			}
		}
	}
	if f.other == nil {
		return nil, NewError(http.StatusMisdirectedRequest, "", "The host of the request is not served here").
			WithCause(fmt.Errorf("auth: host %q is not in DynamicBaseURL.AllowedHosts", claimed))
	}
	return f.other, nil
}

// at returns the site of a base URL without path.
func (f *siteFinder) at(base *url.URL) *site {
	origin := base.Scheme + "://" + base.Host
	return &site{url: origin + f.path, origin: origin, cookies: f.cookies(base)}
}

// claimedHost returns the host that a request says it was sent to. A forwarded
// one that is odd, a list for instance, is ignored.
func claimedHost(r *http.Request, h http.Header, forwarded bool) string {
	if forwarded {
		claimed := headerLine(h, "X-Forwarded-Host")
		if host, _, ok := canonicalAuthority("", claimed); ok && hasPlainLabels(host) {
			return claimed
		}
	}
	switch {
	case r == nil:
		return headerLine(h, "Host")
	case r.Host == "":
		return r.URL.Host
	}
	return r.Host
}

func (f *siteFinder) scheme(r *http.Request, h http.Header, forwarded bool, claimed string) string {
	if f.protocol != "" {
		return f.protocol
	}
	if proto := headerLine(h, "X-Forwarded-Proto"); forwarded && isWebScheme(proto) {
		return proto
	}
	host, _ := splitPort(strings.ToLower(claimed))
	if r != nil && r.TLS == nil || r == nil && isLoopbackHost(host) {
		return "http"
	}
	return "https"
}
