package auth

import "strings"

// elsewhere reports whether the request reached another host than that of the base URL.
func (d *diagnosing) elsewhere() bool {
	base, host, known := d.authorities()
	return known && host != base
}

// authorities returns the host and port of the base URL, and those that the browser
// asked for; known is false if a proxy may have changed these.
func (d *diagnosing) authorities() (base, host string, known bool) {
	scheme, base, _ := strings.Cut(d.site.origin, "://")
	for _, claimed := range []string{d.host(), headerLine(d.request.Header, "X-Forwarded-Host")} {
		name, port, ok := canonicalAuthority(scheme, claimed)
		if host = (location{host: name, port: port}).authority(); ok && host == base {
			return base, host, true
		}
	}
	name, port, ok := canonicalAuthority(scheme, d.host())
	return base, location{host: name, port: port}.authority(), ok && !d.behindOther()
}

// hosts looks for a base URL that is not where the browser is.
func (d *diagnosing) hosts() {
	base, host, known := d.authorities()
	baseHost, _ := splitPort(base)
	name, _ := splitPort(host)
	switch {
	case !known || base == host:
	case d.core.home == nil:
		d.find("host_fallback", "the host of the request is "+d.show(host)+", the base URL "+d.site.origin,
			"DynamicBaseURL.AllowedHosts does not have the host, so that Fallback serves it: with its links, cookies and origin.",
			"Add the host, with its port unless that is the default of the scheme, to AllowedHosts.")
	case baseHost != name && isLoopbackHost(baseHost) && isLoopbackHost(name):
		d.find("loopback_names", "the base URL has "+baseHost+", the request went to "+d.show(name),
			"localhost, 127.0.0.1 and [::1] are different hosts to a browser: each has cookies of its own, and they are cross-site to each other.",
			"Open the page at "+d.site.origin+", and call the server by that name.")
	default:
		d.find("host_differs", "the base URL is "+d.site.origin+", the host of the request is "+d.show(host),
			"Cookies belong to the host that set them, and links in mails lead to the base URL.",
			"Set BaseURL to where browsers reach the server, DynamicBaseURL if that is more than one host; behind a proxy that changes Host put its address into ClientAddress.TrustedProxies.")
	}
	secure, schemeKnown := d.secure()
	if base == host && schemeKnown && secure && strings.HasPrefix(d.site.origin, "http://") {
		d.find("scheme_differs", "the base URL is http, and the request came over https",
			"The cookies are not Secure, links in mails lead to http, and the page's own origin is not trusted.",
			"Set BaseURL to https://"+base+".")
	}
}

// origin finds out whether a request of this page that changes something would be
// refused.
func (d *diagnosing) origin() {
	check := d.core.origin
	if check.disableCSRF || check.disableOrigin || check.isExempt(d.path) {
		return
	}
	source := sourceOf(d.request)
	switch {
	case source != "" && source != "null":
		if !check.trusted.trustsOrigin(d.request, source) {
			d.notTrusted(source)
		}
	case check.checkOrigin(d.request, d.path) != nil:
		d.find("origin_missing", "a "+d.show(d.request.Method)+" with cookies and without a usable header Origin or Referer",
			"It could come from any page: it is refused with MISSING_OR_NULL_ORIGIN.",
			"Browsers send Origin by themselves; a sandboxed frame, a file and Referrer-Policy: no-referrer make it null. A program sends Origin: "+d.site.origin+", or no cookies but a bearer token.")
	}
}

func (d *diagnosing) notTrusted(source string) {
	l, ok := parseLocation(source)
	if !ok {
		d.find("origin_not_trusted", "an Origin or Referer that is no URL", "Requests that change something are refused with INVALID_ORIGIN.", "Let the browser set the header.")
		return
	}
	origin := d.show(l.origin())
	d.find("origin_not_trusted", "the request comes from "+origin+", which is no trusted origin",
		"Requests with cookies that change something, sign-in and sign-up are refused with INVALID_ORIGIN, and no URL there is redirected to.",
		"If the page is yours, add it: TrustedOrigins: []string{"+origin+"}."+d.ownPage(l))
}

// ownPage adds to the advice when the page is one of the server itself by another name.
func (d *diagnosing) ownPage(l location) string {
	if _, host, _ := d.authorities(); host == l.authority() {
		return " It is the host of the request: BaseURL is another one."
	}
	return ""
}
