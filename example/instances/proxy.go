package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync/atomic"
	"time"
)

// newProxy stands for the proxy or load balancer that is there already where several
// instances run. It replaces what clients claim in X-Forwarded-For.
func newProxy(instances []string) http.Handler {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: 2 * time.Second}).DialContext
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetXForwarded()
			r.Out.URL.Scheme = "http"
			r.Out.Host = r.In.Host
		},
		Transport: &inTurn{instances: instances, transport: transport},
	}
}

// inTurn gives each request to the next instance. One that does not accept a
// connection is skipped; a request that reached an instance is not repeated.
type inTurn struct {
	instances []string
	last      atomic.Uint32
	transport http.RoundTripper
}

func (t *inTurn) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	for range t.instances {
		attempt := r.Clone(r.Context())
		attempt.URL.Host = t.instances[int(t.last.Add(1))%len(t.instances)]
		if r.Body != nil {
			attempt.Body = io.NopCloser(r.Body) // open for the next attempt
		}
		resp, err = t.transport.RoundTrip(attempt)
		if failed, ok := errors.AsType[*net.OpError](err); !ok || failed.Op != "dial" {
			break
		}
	}
	return resp, err
}
