package auth

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// A site is a base URL under which browsers reach the instance, and what follows
// from it. An instance with Config.BaseURL has one, one with DynamicBaseURL finds
// one for each request and keeps none.
type site struct {
	url     string // with the base path, as it stands in mails
	origin  string
	cookies *sessionCookies
}

// base is the URL of the site in its parts, as far as cookies depend on it.
func (st *site) base() *url.URL {
	scheme, host, _ := strings.Cut(st.origin, "://")
	return &url.URL{Scheme: scheme, Host: host}
}

// siteOf returns the site of the run, or of the request, that ctx belongs to.
func (s *services) siteOf(ctx context.Context) *site {
	if s.home != nil {
		return s.home
	}
	if found, ok := ctx.Value(siteKey{}).(*site); ok {
		return found
	}
	return ExchangeFrom(ctx).site.(*site) // locate set it before anything ran
}

type siteKey struct{}

// atSite returns the context of a request that belongs to no run.
func atSite(r *http.Request, st *site) context.Context {
	return context.WithValue(r.Context(), siteKey{}, st)
}

// cookiesOf returns the cookies of the run that ctx belongs to.
func (s *services) cookiesOf(ctx context.Context) *sessionCookies { return s.siteOf(ctx).cookies }

// siteFor returns the site that a request was sent to.
//
// Errors: those of siteFinder.find.
func (s *services) siteFor(r *http.Request) (*site, error) {
	if s.home != nil {
		return s.home, nil
	}
	return s.sites.find(r, r.Header)
}

// forgets reports whether the browser's session is not to be remembered.
func (s *services) forgets(x *Exchange) bool { return s.cookiesOf(x).forgets(x) }
