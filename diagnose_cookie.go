package auth

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// token returns the session token of the request. If there is none it finds out why.
func (d *diagnosing) token() string {
	cookies := d.site.cookies
	raw, sent := cookieValue(d.headers, d.Cookie)
	if !sent {
		d.missing()
		return ""
	}
	token, ok := cookies.signer.openCookie(raw)
	if ok {
		return token
	}
	d.twice()
	if _, _, signed := splitSigned(raw); !signed {
		d.find("cookie_malformed", "the cookie "+d.Cookie+" has no signature at its end",
			"It was cut or changed on its way, or something else made it.",
			"Hand on the cookie exactly as Set-Cookie had it, percent-encoded; delete it and sign in again.")
		return ""
	}
	d.find("signature_mismatch", "the signature of the cookie "+d.Cookie+" does not hold",
		"It was made under another secret: that of another server, or one that was taken away.",
		"Give all servers the same Secret; when you change it, keep the old one in Secrets until the sessions have expired.")
	return ""
}

// twice finds two cookies of the same name, of which the first one counts.
func (d *diagnosing) twice() {
	n := 0
	for name := range requestCookies(d.headers) {
		if name == d.Cookie {
			n++
		}
	}
	if n < 2 {
		return
	}
	d.find("cookie_twice", fmt.Sprintf("%d cookies with the name %s", n, d.Cookie),
		"Browsers keep one for each Domain and Path; the first one in the request counts, which may be an old one.",
		"Delete the cookies of the site in the browser; it comes from a change of Cookies.Domain, CrossSubDomain or a Path.")
}

// missing names the causes for which a browser leaves the cookie out.
func (d *diagnosing) missing() {
	before := len(d.Findings)
	d.otherName()
	d.tooLarge()
	d.insecure()
	d.domain()
	d.cookiePath()
	d.crossSite()
	if len(d.Findings) == before && BearerToken(d.request.Header) == "" && !d.elsewhere() {
		d.find("no_cookie", "no cookie with the name "+d.Cookie,
			"Nobody has signed in with this browser, or at another host, port or browser profile; or whoever calls does not keep cookies.",
			"Sign in here. Look for the Set-Cookie line of the sign-in in the developer tools: a browser says there why it did not keep it.")
	}
}

// otherName looks for the session's cookie under a name that it would have in another
// configuration. Names of other cookies are not shown: some have secrets in them.
func (d *diagnosing) otherName() {
	bare := strings.TrimPrefix(strings.TrimPrefix(d.Cookie, securePrefix), hostPrefix)
	for _, other := range []string{securePrefix + bare, bare, hostPrefix + bare, defaultPrefix + ".session_token", securePrefix + defaultPrefix + ".session_token"} {
		if _, sent := cookieValue(d.headers, other); sent && other != d.Cookie {
			d.find("cookie_other_name", "a cookie "+other+" and none with the name "+d.Cookie,
				"The name has __Secure- in front where the base URL is https, or __Host- (Cookies.HostPrefix). Cookies.Prefix and Cookies.SessionToken change it too.",
				"Give all servers and proxies on the way the base URL that browsers see, and the same Cookies; then sign in again.")
			return
		}
	}
	for name := range requestCookies(d.headers) {
		if strings.HasSuffix(name, ".session_token") && name != d.Cookie {
			d.find("cookie_other_name", "a cookie that ends in .session_token with another prefix, and none with the name "+d.Cookie,
				"Cookies.Prefix differs, or another program on this host has such cookies.",
				"Give all servers of the application the same Cookies.Prefix.")
			return
		}
	}
}

// maxCookieHeader is what the strictest of common servers and proxies take.
const maxCookieHeader = 8000

func (d *diagnosing) tooLarge() {
	n := 0
	for _, line := range d.request.Header["Cookie"] {
		n += len(line)
	}
	if n <= maxCookieHeader {
		return
	}
	d.find("cookies_too_large", fmt.Sprintf("%d bytes of cookies", n),
		"Proxies refuse or cut headers beyond 8 kB, and browsers drop cookies beyond some 180 of a site.",
		"Delete cookies that nobody needs. Session.CookieCache keeps a copy of session and user in a cookie: hide large fields, or turn it off.")
}

// insecure finds a Secure cookie that cannot come over http.
func (d *diagnosing) insecure() {
	secure, known := d.secure()
	if !d.site.cookies.tokenCookie.resolved().secure || secure || !known {
		return
	}
	d.find("secure_cookie_over_http", "the cookie is Secure, and the request came over http",
		"Browsers send and keep such a cookie over https only, some over http to localhost too.",
		"Open the page by https. For development set BaseURL to http://localhost:…; behind a proxy that ends TLS let it send X-Forwarded-Proto.")
}

// domain finds a host that the cookie's Domain does not cover.
func (d *diagnosing) domain() {
	domain := strings.TrimPrefix(strings.ToLower(d.site.cookies.tokenCookie.resolved().domain), ".")
	host, _ := splitPort(strings.ToLower(d.host()))
	if domain == "" || host == domain || strings.HasSuffix(host, "."+domain) || d.behindOther() {
		return
	}
	d.find("cookie_domain", "the cookie has Domain="+domain+", the host of the request is "+d.show(host),
		"Browsers refuse a cookie for a domain that the host is not in.",
		"Set Cookies.Domain to the host, or to a domain that both are in; without CrossSubDomain cookies belong to the host alone.")
}

// behindOther reports whether a proxy may have changed the host.
func (d *diagnosing) behindOther() bool {
	return d.forwarded() && !d.core.proxies.speaksFor(d.request)
}

func (d *diagnosing) cookiePath() {
	path := strings.TrimSuffix(d.site.cookies.tokenCookie.resolved().path, "/")
	below, ok := strings.CutPrefix(d.request.URL.Path, path)
	if ok && (path == "" || below == "" || below[0] == '/') {
		return
	}
	d.find("cookie_path", "the cookie has Path="+path+", which the path of the request is not below",
		"Browsers send it to that path and below only.", "Leave CookieAttributes.Path out: the default is /.")
}

// crossSite finds requests of another site, with which browsers do not send the cookie.
func (d *diagnosing) crossSite() {
	cookie := d.site.cookies.tokenCookie.resolved()
	site, mode := headerLine(d.request.Header, "Sec-Fetch-Site"), headerLine(d.request.Header, "Sec-Fetch-Mode")
	navigates := mode == "navigate" && headerLine(d.request.Header, "Sec-Fetch-Dest") == "document" && isSafeMethod(d.request.Method)
	switch {
	case site == "cross-site" && cookie.sameSite == "none" && !navigates:
		d.thirdParty(cookie.partitioned)
	case site == "cross-site" && (cookie.sameSite == "strict" || !navigates):
		d.find("same_site", "the request is cross-site, and the cookie is SameSite="+cookie.sameSite,
			"Browsers send it from pages of the same site only: the same scheme and registrable domain; with lax also when somebody follows a link.",
			"Serve page and server below one domain (app.example.com and api.example.com), or let the page's server pass /api/auth on. Only if neither can be: Cookies.Default.SameSite = http.SameSiteNoneMode.")
	}
	if !hasCookies(d.request) && (site == "cross-site" || site == "same-site") && mode == "cors" {
		d.find("credentials_missing", "a fetch from another origin without any cookie",
			"fetch and XMLHttpRequest send cookies to other origins only when told to.",
			`Call fetch(url, {credentials: "include"}), for the JavaScript client fetchOptions: {credentials: "include"}, and answer with Access-Control-Allow-Credentials: true and the page's origin, not *, in Access-Control-Allow-Origin.`)
	}
}

// thirdParty is about SameSite=None.
func (d *diagnosing) thirdParty(partitioned bool) {
	if partitioned {
		d.find("third_party_cookie", "the request is cross-site, and the cookie is Partitioned",
			"The browser keeps another cookie for each site in whose pages the server is embedded (CHIPS).",
			"Sign in inside of the same embedding page; a session from elsewhere is not seen there.")
		return
	}
	d.find("third_party_cookie", "the request is cross-site, and the cookie is SameSite=None and not Partitioned",
		"Many browsers block cookies of third parties.",
		"Serve page and server below one domain, or set Cookies.Default.Partitioned, which gives each embedding site a cookie of its own.")
}

// bearer looks at a token that came in the header Authorization.
func (d *diagnosing) bearer() {
	if BearerToken(d.request.Header) == "" {
		return
	}
	if len(d.core.sessionTokens) == 0 {
		d.find("bearer_ignored", "a header Authorization: Bearer …", "No plugin takes session tokens from headers.", "Add &auth.Bearer{} to Config.Plugins.")
		return
	}
	d.find("bearer_refused", "a header Authorization: Bearer … that no plugin accepts",
		"The signature of the token does not hold, or it has none and the plugin wants one (Bearer.RequireSignature).",
		"Send the value of the response header set-auth-token of the sign-in as it is.")
}

// copied looks at the copy of the session in a cookie. A copy that has expired is no
// finding where there is a store to ask.
func (d *diagnosing) copied(token string) {
	if !d.site.cookies.cache.Enabled || len(chunkNames(d.headers, d.site.cookies.dataCookie.name)) == 0 {
		return
	}
	d.readCopy(token)
}

// readCopy returns the session in the copy, nil if it does not count, and finds out why.
func (d *diagnosing) readCopy(token string) *SessionData {
	name := d.site.cookies.dataCookie.name
	if d.chunkMissing(name) {
		d.find("copy_chunk_missing", "parts of the cookie "+name+" are missing",
			"The copy of the session is too large for one cookie, and the browser, or something on the way, has dropped a part.",
			"Make the copy smaller: hide large fields. Look for a limit on headers in proxies.")
		return nil
	}
	object, expiresAt, ok := d.site.cookies.seal.Open(d.atSite(), d.site.cookies.sentCopy(d.headers))
	if !ok {
		d.find("copy_unreadable", "the cookie "+name+" cannot be read",
			"The copy of the session was made under another secret, or with another CookieCache.Strategy.",
			"Give all servers the same Secret and Strategy. The next answer replaces the copy.")
		return nil
	}
	data, version, err := d.core.decodeSession(object)
	switch {
	case err != nil:
		d.find("copy_unreadable", "the cookie "+name+" holds no session", "A server with other columns of users or sessions has made it.", "Give all servers the same Fields.")
		return nil
	case data.Session.Token != token:
		d.find("copy_other_session", "the copy in "+name+" is of another session than the cookie "+d.Cookie,
			"It does not count: the two cookies come from different sign-ins.", "The next answer of get-session replaces it.")
		return nil
	}
	setDefault(&version, defaultCacheVersion)
	if version != d.core.session.CookieCache.version(data) {
		d.find("copy_other_version", "the copy in "+name+" has another version",
			"CookieCache.Version was changed, so that copies of before do not count.", "The next answer of get-session replaces it.")
		return nil
	}
	if d.site.cookies.stateless && (expiresAt.Before(time.Now()) || data.Session.ExpiresAt.Before(now())) {
		d.find("session_expired", "the copy of the session in "+name+" has expired", "Without a store it is the session.", "Sign in again; CookieCache.MaxAge says how long.")
		return nil
	}
	return data
}

// statelessSession is storedSession where the copy is all there is.
func (d *diagnosing) statelessSession(token string) {
	if name := d.site.cookies.dataCookie.name; len(chunkNames(d.headers, name)) == 0 {
		d.find("copy_missing", "no cookie "+name, "Without a store the copy is the session.", "Sign in again; a proxy or a test client may have dropped the cookie.")
		return
	}
	if data := d.readCopy(token); data != nil {
		d.found(data)
	}
}

// chunkMissing reports whether a cookie came in chunks that do not follow each other
// from the first one.
func (d *diagnosing) chunkMissing(name string) bool {
	if _, whole := cookieValue(d.headers, name); whole {
		return false
	}
	var found []int
	for _, chunk := range chunkNames(d.headers, name) {
		if i, ok := chunkIndex(chunk, name); ok {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	for want, got := range found {
		if want != got {
			return true
		}
	}
	return false
}
