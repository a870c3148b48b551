package main

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// A limiter bounds how often a client may post forms that check a password or
// send a mail. Config.RateLimit guards the endpoints over HTTP; a page that
// calls an endpoint as a function is the door in front of it and has to count
// for itself. Behind a reverse proxy the address would come from the header
// that the proxy sets.
type limiter struct {
	mu     sync.Mutex
	window time.Time
	counts map[netip.Prefix]int
}

const (
	limitWindow = time.Minute
	limitPosts  = 20
)

// allow counts a request. All counts start anew with every window, which keeps
// the memory bounded.
func (l *limiter) allow(r *http.Request) bool {
	client := clientOf(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.window) >= limitWindow {
		l.window, l.counts = now, make(map[netip.Prefix]int)
	}
	l.counts[client]++
	return l.counts[client] <= limitPosts
}

// clientOf returns the client's network: the IPv4 address, or the 64 bits of an
// IPv6 address below which a client can choose freely.
func clientOf(r *http.Request) netip.Prefix {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	addr := peer.Addr().Unmap().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	network, _ := addr.Prefix(bits)
	return network
}

// limited answers 429 to a client that posts too often.
func (s *site) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.limiter.allow(r) {
			w.Header().Set("Retry-After", "60")
			s.problem(w, r, http.StatusTooManyRequests, "Too many attempts. Please wait a minute and try again.")
			return
		}
		next.ServeHTTP(w, r)
	})
}
