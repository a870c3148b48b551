package auth

import (
	"net/http"
	"testing"
)

// cookieProbe is a plugin that says what a hook behind an endpoint sees of the
// response's cookies.
type cookieProbe struct {
	services *Services
	set      func(x *Exchange)
	sent     *http.Cookie
	direct   bool
}

func (*cookieProbe) ID() string { return "cookie-probe" }

func (p *cookieProbe) Extend(s *Services) (*Extension, error) {
	p.services = s
	return &Extension{After: []RouteHook{{Paths: []string{"/ok"}, Run: func(x *Exchange) error {
		p.set(x)
		p.sent, p.direct = s.SentCookie(x, "a"), x.Direct()
		return nil
	}}}}, nil
}

// SentCookie is what a browser keeps of the lines for a name.
func TestSentCookie(t *testing.T) {
	cookie := func(name, value string) *http.Cookie {
		return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 60}
	}
	tests := []struct {
		name string
		set  func(p *cookieProbe, x *Exchange)
		want string // empty: none
	}{
		{"none", func(*cookieProbe, *Exchange) {}, ""},
		{"one", func(p *cookieProbe, x *Exchange) { p.services.SetCookie(x, cookie("a", "1 =;%")) }, "1 =;%"},
		{"others", func(p *cookieProbe, x *Exchange) {
			p.services.SetCookie(x, cookie("ab", "1"))
			p.services.SetCookie(x, cookie("b", "a=1"))
		}, ""},
		{"the last", func(_ *cookieProbe, x *Exchange) {
			x.Header()["Set-Cookie"] = []string{"a=1", "a=2; Max-Age=60", "b=3"}
		}, "2"},
		{"expired", func(p *cookieProbe, x *Exchange) {
			p.services.SetCookie(x, cookie("a", "1"))
			p.services.ExpireCookie(x, cookie("a", ""))
		}, ""},
		{"set and expired by hand", func(_ *cookieProbe, x *Exchange) {
			x.Header()["Set-Cookie"] = []string{"a=1", "a=; Max-Age=0"}
		}, ""},
		{"chunks", func(_ *cookieProbe, x *Exchange) { x.Header().Set("Set-Cookie", "a.0=1") }, ""},
	}
	for _, test := range tests {
		p := &cookieProbe{}
		p.set = func(x *Exchange) { test.set(p, x) }
		w := newWorld(t, func(c *Config) { c.Plugins = []Plugin{p} })
		w.browser().get("/ok").ok(t)
		if p.sent == nil && test.want != "" || p.sent != nil && p.sent.Value != test.want || p.direct {
			t.Errorf("%s: %v, direct %v", test.name, p.sent, p.direct)
		}
		if _, err := w.API.OK.Call(t.Context(), Empty{}); err != nil || !p.direct {
			t.Errorf("%s: %v, direct %v", test.name, err, p.direct)
		}
	}
}
