package auth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAdvisory_GHSA_5rr4_8452_hf4v: what a provider on the public network sends does
// not make the server ask addresses inside of its own.
func TestAdvisory_GHSA_5rr4_8452_hf4v(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"secret":1}`))
	}))
	t.Cleanup(inside.Close)
	for _, tt := range []struct {
		why   string
		state int32
		ok    bool
	}{
		{"a provider that was reached outside", networkPublic, false},
		{"one inside, which may name its neighbours", networkPrivate, true},
		{"the first request, whose address was configured", networkUnknown, true},
	} {
		t.Run(tt.why, func(t *testing.T) {
			out := newOutgoing(nil).rememberingNetwork()
			n := out.network
			n.state.Store(tt.state)
			_, err := out.getObject(t.Context(), inside.URL, "", nil)
			if (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), "led to 127.0.0.1") {
				t.Errorf("asking %s: %v", inside.URL, err)
			}
			if tt.ok && n.state.Load() != networkPrivate {
				t.Errorf("network %d, want %d", n.state.Load(), networkPrivate)
			}
		})
	}
}

func TestIsPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true,
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "fe80::1": false, "fd00::1": false, "100.64.0.1": false, "0.0.0.0": false, "::": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "224.0.0.1": false, "255.255.255.255": false,
	} {
		if got := isPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public %v, want %v", text, got, want)
		}
	}
}

func TestNetworkRemembersTheFirstAddress(t *testing.T) {
	var n network
	n.reached(&net.TCPAddr{IP: net.IPv4(93, 184, 216, 34), Port: 443})
	n.reached(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443})
	if n.state.Load() != networkPublic {
		t.Error("a later connection made the provider one of ours")
	}
}

// TestOutgoingLimits: a provider cannot keep a request waiting, send without end or
// lead it elsewhere.
func TestOutgoingLimits(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/object", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/object", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"a":1}`)) })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		for range maxOutgoingBody/1024 + 2 {
			_, _ = w.Write([]byte(strings.Repeat(" ", 1024)))
		}
	})
	mux.HandleFunc("/array", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`[]`))
	})
	mux.HandleFunc("/failure", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	out := newOutgoing(server.Client())
	for _, path := range []string{"/elsewhere", "/long", "/array", "/failure", "/nowhere"} {
		secret := []param{{"client_secret", "s3cret"}}
		if object, err := out.postForm(t.Context(), server.URL+path+"?key=s3cret", secret, nil); err == nil {
			t.Errorf("%s: %v", path, object)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error tells a secret: %v", path, err)
		}
	}
	object, err := out.getObject(t.Context(), server.URL+"/elsewhere", "", nil)
	if err != nil || object["a"] != 1.0 {
		t.Errorf("a profile that has moved, and calls itself text: %v, %v", object, err)
	}
}

// TestOutgoingDeadline: ten seconds are all that a provider has.
func TestOutgoingDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		begin := time.Now()
		_, err := newOutgoing(silent).getObject(t.Context(), "https://acme.test/", "", nil)
		if waited := time.Since(begin); err == nil || waited != outgoingTimeout {
			t.Errorf("gave up after %v: %v", waited, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := newOutgoing(silent).getObject(ctx, "https://acme.test/", "", nil); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller that went away: %v", err)
		}
	})
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
