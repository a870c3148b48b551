package auth

import (
	"maps"
	"net"
	"net/http"
	"strings"
)

// notPassed are headers of a request that a Call on behalf of it does not pass on:
// they speak of its body, its connection, its cache or of where a browser made it.
var notPassed = map[string]bool{
	"Host": true, "Origin": true, "Accept-Encoding": true, "Range": true, "Expect": true,
	"Access-Control-Request-Method": true, "Access-Control-Request-Headers": true,
}

// hopByHop are headers of one connection (RFC 9110 section 7.6.1).
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// dropHopByHop deletes the headers of a connection, those too that it names itself.
func dropHopByHop(h http.Header) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, key := range hopByHop {
		h.Del(key)
	}
}

// callHeader returns the headers of a Call's request: those of whom it is made for,
// those of the input, and the server's own origin, since nobody's browser chose to make
// this call.
func (r *remote) callHeader(x *Exchange, input http.Header, body bool) http.Header {
	h := make(http.Header)
	if x.behalf {
		passOn(h, x.headers)
		if x.request != nil {
			r.forwardedFor(h, x.request)
			h.Del("X-Forwarded-Host")
			h.Del("X-Forwarded-Proto")
			h.Del("Forwarded")
		}
		if h["User-Agent"] == nil {
			h["User-Agent"] = []string{""} // not that of Go's client
		}
	}
	maps.Copy(h, input)
	h["Origin"] = []string{r.origin}
	if body {
		h["Content-Type"] = []string{mediaJSON}
	}
	if r.told {
		scheme, host, _ := strings.Cut(r.origin, "://")
		h["X-Forwarded-Proto"], h["X-Forwarded-Host"] = []string{scheme}, []string{host}
	}
	return h
}

// passOn copies the headers that are neither of the connection nor of the message.
func passOn(to, from http.Header) {
	for key, values := range from {
		key = http.CanonicalHeaderKey(key)
		if notPassed[key] || strings.HasPrefix(key, "Content-") || strings.HasPrefix(key, "If-") || strings.HasPrefix(key, "Sec-Fetch-") {
			continue
		}
		to[key] = append(to[key], values...)
	}
	dropHopByHop(to)
}

// forwardedFor adds the address of a request to the list of those that it came by.
func (*remote) forwardedFor(h http.Header, r *http.Request) {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return
	}
	before := h["X-Forwarded-For"]
	h["X-Forwarded-For"] = []string{strings.Join(append(before[:len(before):len(before)], address), ", ")}
}
