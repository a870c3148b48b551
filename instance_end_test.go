package auth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestInstanceEnds: an instance needs no end. What it began for requests, such as asking
// a provider that does not answer for its keys, is over by itself, though nobody waits for
// it any more. The bubble fails if a goroutine stays.
func TestInstanceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		silent := roundTripFunc(func(r *http.Request) (*http.Response, error) {
			asked.Add(1)
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		w := newWorld(t, func(c *Config) {
			c.Providers = []Provider{Google("client", "secret")}
			c.HTTPClient = &http.Client{Transport: silent}
			c.Session.CookieCache.Enabled = true
			c.RateLimit.Disabled = false
			c.Plugins = []Plugin{&JWT{}, &Bearer{}, &MultiSession{}, &TwoFactor{}, &Username{}}
		})
		ann := w.as("ann")
		ann.get("/token").ok(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		body := `{"provider":"google","idToken":{"token":"` + unsigned(`{"sub":"1"}`) + `"}}`
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, testBase+"/sign-in/social", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if w.browser().do(r); asked.Load() == 0 {
			t.Error("nobody asked for keys")
		}
		time.Sleep(time.Minute)
	})
}
