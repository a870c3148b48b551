package auth

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A Diagnosis is what Auth.Diagnose finds out about a request. It holds no token, no
// cookie's value and no secret.
type Diagnosis struct {
	// UserID and SessionID say whose session the request has; both are empty if it has
	// none.
	UserID    string     `json:"userId,omitempty"`
	SessionID string     `json:"sessionId,omitempty"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"` // of the session

	Cookie  string `json:"cookie"`  // the name of the session's cookie at this base URL
	BaseURL string `json:"baseUrl"` // of this request; empty if its host is not served

	// Findings are what keeps the request from having a session, or from being
	// answered, the most likely cause first. It is empty, not nil, if all is well.
	Findings []Finding `json:"findings"`
}

// A Finding is one thing that is wrong, or not as a developer may think. The texts are
// for people, in English.
type Finding struct {
	Code string `json:"code"` // stable; docs/troubleshooting.md lists them
	Saw  string `json:"saw"`  // what the request or the configuration has
	Why  string `json:"why"`  // what follows from it
	Mend string `json:"mend"` // what to do
}

// String is the diagnosis as text of several lines.
func (d *Diagnosis) String() string {
	var text strings.Builder
	if d.SessionID != "" {
		fmt.Fprintf(&text, "The request has session %s of user %s.\n", d.SessionID, d.UserID)
	} else {
		fmt.Fprintf(&text, "The request has no session; its cookie would be %s.\n", d.Cookie)
	}
	for _, f := range d.Findings {
		fmt.Fprintf(&text, "\n%s: %s\n    %s\n    %s\n", f.Code, f.Saw, f.Why, f.Mend)
	}
	return text.String()
}

// Diagnose tells why a request has no session although there should be one, and why it
// would be refused for where it comes from: for developers, in a handler that shows the
// answer, or in the log.
//
//	mux.HandleFunc("GET /debug/session", func(w http.ResponseWriter, r *http.Request) {
//		fmt.Fprint(w, a.Diagnose(r))
//	})
//
// It reads what the request says, asks the store for the session, and writes nothing. It
// is not for strangers: whoever sees it learns how the server is configured, and whether
// a cookie is good. What a browser did not send, and why, can only be guessed from what
// it did: the findings name the causes that fit.
func (a *Auth) Diagnose(r *http.Request) *Diagnosis {
	d := &diagnosing{core: a.core, request: r, path: a.router.path(r.URL.EscapedPath()), Diagnosis: Diagnosis{Findings: []Finding{}}}
	if d.locate() {
		d.session()
		d.origin()
	}
	d.proxy()
	return &d.Diagnosis
}

// diagnosing is a Diagnosis that is being made.
type diagnosing struct {
	Diagnosis
	core    *core
	request *http.Request
	path    string // without the base path
	site    *site
	headers http.Header // with a cookie for a token that came otherwise
}

func (d *diagnosing) find(code, saw, why, mend string) {
	d.Findings = append(d.Findings, Finding{Code: code, Saw: saw, Why: why, Mend: mend})
}

// locate finds the base URL of the request and reports whether there is one.
func (d *diagnosing) locate() bool {
	site, err := d.core.siteFor(d.request)
	if err != nil {
		d.find("host_not_allowed", "the host of the request is "+d.show(d.host()),
			"DynamicBaseURL.AllowedHosts does not have it, and there is no Fallback: every endpoint answers 421.",
			"Add the host, with its port unless that is the default of the scheme, to AllowedHosts.")
		return false
	}
	d.site = site
	d.BaseURL, d.Cookie = site.url, site.cookies.tokenCookie.name
	d.headers = d.core.carried(d.request.Header, site.cookies)
	return true
}

// host is the one that the browser asked for, as far as the server believes it.
func (d *diagnosing) host() string {
	return claimedHost(d.request, d.request.Header, d.core.proxies.speaksFor(d.request))
}

// secure reports whether the browser used https, as far as anybody says so; known is
// false if that may have been lost at a proxy.
func (d *diagnosing) secure() (secure, known bool) {
	proto := headerLine(d.request.Header, "X-Forwarded-Proto")
	switch {
	case d.request.TLS != nil, proto == "https":
		return true, true
	case proto == "http":
		return false, true
	}
	return false, !d.forwarded()
}

// forwarded reports whether a proxy has left its marks.
func (d *diagnosing) forwarded() bool {
	for _, name := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if len(d.request.Header[name]) > 0 {
			return true
		}
	}
	return false
}

// proxy looks at forwarding headers that are not believed.
func (d *diagnosing) proxy() {
	if !d.forwarded() || d.core.proxies.speaksFor(d.request) {
		return
	}
	d.find("proxy_not_trusted", "forwarding headers (X-Forwarded-…) in a request from an address that is no trusted proxy",
		"They are ignored: the client's address is that of the proxy, so that all clients share one rate limit, and DynamicBaseURL sees the proxy's host and scheme.",
		"If the request came through a proxy of yours, put its address into ClientAddress.TrustedProxies. If not, somebody makes the headers up, and all is well.")
}

// session looks for the session, and for what is wrong with its cookie.
func (d *diagnosing) session() {
	token := d.token()
	if token == "" {
		d.bearer()
		d.hosts()
		return
	}
	d.twice()
	if d.site.cookies.stateless {
		d.statelessSession(token)
	} else {
		d.storedSession(token)
	}
	d.hosts()
}

func (d *diagnosing) storedSession(token string) {
	data, err := d.core.sessions.byToken(d.request.Context(), token)
	switch {
	case err != nil:
		d.core.log.ErrorContext(d.request.Context(), "session could not be read for a diagnosis", "error", err)
		d.find("store_failed", "the store answered with an error, which the log has", "Nobody can be signed in while it does.", "See to the database.")
	case data == nil:
		d.find("session_unknown", "a cookie with a good signature, and no session in the store, or no user of it",
			"Somebody signed out, the session was revoked or the user deleted; or the store is another one, or lost its rows: a MemoryStore does when the program ends.",
			"Sign in again. If that happens after each start, use a store that lasts; if on some servers only, give all of them the same one.")
	case data.Session.ExpiresAt.Before(now()):
		d.find("session_expired", "the session expired at "+data.Session.ExpiresAt.Format(time.RFC3339), "It is over.",
			"Sign in again. Session.ExpiresIn and MaxLifetime say how long sessions live, and UpdateAge how often reading one prolongs it; Auth.Session alone prolongs none.")
	default:
		d.found(data)
	}
	d.copied(token)
}

func (d *diagnosing) found(data *SessionData) {
	d.UserID, d.SessionID, d.ExpiresAt = data.Session.UserID, data.Session.ID, &data.Session.ExpiresAt
}

// atSite is the context of the request, which knows the site.
func (d *diagnosing) atSite() context.Context { return atSite(d.request, d.site) }

// show is a text of the request in a finding: cut, quoted, and not if it has a secret in
// it.
func (d *diagnosing) show(text string) string {
	const most = 200
	lower := strings.ToLower(text)
	for _, secret := range d.secrets() {
		if strings.Contains(lower, strings.ToLower(secret)) {
			return "(hidden)"
		}
	}
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// secrets are what a request may hold that no finding has: the values of its cookies and
// of Authorization, whole and in the parts that count.
func (d *diagnosing) secrets() (secrets []string) {
	const shortest = 8 // less is no secret, and would hide ordinary words
	add := func(values ...string) {
		for _, value := range values {
			if len(value) >= shortest {
				secrets = append(secrets, value)
			}
		}
	}
	for _, raw := range requestCookies(d.request.Header) {
		value, _, _ := strings.Cut(raw, ".")
		add(raw, decodeURIComponent(raw), value)
	}
	for _, line := range d.request.Header["Authorization"] {
		for part := range strings.FieldsSeq(line) {
			value, _, _ := strings.Cut(part, ".")
			add(part, decodeURIComponent(part), value)
		}
	}
	return secrets
}
