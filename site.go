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

// siteOf returns the site of the run that ctx belongs to.
func (s *services) siteOf(ctx context.Context) *site {
	if s.home != nil {
		return s.home
	}
	return ExchangeFrom(ctx).site.(*site) // locate set it before anything ran
}

// cookiesOf returns the cookies of the run that ctx belongs to.
func (s *services) cookiesOf(ctx context.Context) *sessionCookies { return s.siteOf(ctx).cookies }

// cookiesFor returns the cookies of the site that a request was sent to.
//
// Errors: those of siteFinder.find.
func (s *services) cookiesFor(r *http.Request) (*sessionCookies, error) {
	if s.home != nil {
		return s.home.cookies, nil
	}
	found, err := s.sites.find(r, r.Header)
	if err != nil {
		return nil, err
	}
	return found.cookies, nil
}

// forgets reports whether the browser's session is not to be remembered.
func (s *services) forgets(x *Exchange) bool { return s.cookiesOf(x).forgets(x) }
