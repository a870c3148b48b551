package auth

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"
)

// keys are the cookies, or the token, of the Client itself.
func (c *clientConfig) keys(origin *url.URL) (callerKeys, error) {
	switch {
	case c.bearer != nil && c.http != nil && c.http.Jar != nil:
		return nil, errors.New("auth: NewClient has both ClientBearer and a cookie jar")
	case c.bearer != nil:
		return c.bearer, nil
	case c.http != nil && c.http.Jar != nil:
		return &jar{c.http.Jar, origin}, nil
	}
	made, err := cookiejar.New(nil)
	return &jar{made, origin}, err
}

// A jar keeps cookies for the server's origin.
type jar struct {
	http.CookieJar
	origin *url.URL
}

func (j *jar) send(u *url.URL, h http.Header) {
	r := http.Request{Header: h}
	for _, c := range j.Cookies(jarURL(j.origin, u)) {
		r.AddCookie(c)
	}
}

func (j *jar) keep(u *url.URL, h http.Header) {
	r := http.Response{Header: h}
	if cookies := r.Cookies(); len(cookies) > 0 {
		j.SetCookies(jarURL(j.origin, u), cookies)
	}
}

// A bearerToken follows what the server gives.
type bearerToken struct {
	mu    sync.Mutex
	token string
}

func (b *bearerToken) get() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.token
}

func (b *bearerToken) send(_ *url.URL, h http.Header) {
	if token := b.get(); token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
}

func (b *bearerToken) keep(_ *url.URL, h http.Header) {
	if token := h.Get("set-auth-token"); token != "" {
		b.mu.Lock()
		b.token = token
		b.mu.Unlock()
	}
}

// jarURL is the URL that cookies are kept for: that of the server's own origin, by
// https. The server's cookies are Secure where browsers reach it by https, even if this
// program does by http, over a network of its own.
func jarURL(origin *url.URL, u *url.URL) *url.URL {
	return &url.URL{Scheme: "https", Host: origin.Host, Path: u.Path, RawPath: u.RawPath}
}
