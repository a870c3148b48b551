package auth

import (
	"net/http"
	"strings"
	"testing"
)

func mustResolve(t testing.TB, config ClientAddress) *addressResolver {
	t.Helper()
	resolver, err := newClientAddress(config)
	if err != nil {
		t.Fatal(err)
	}
	return resolver
}

func TestClientAddress_resolve(t *testing.T) {
	standard := ClientAddress{}
	proxied := ClientAddress{TrustedProxies: []string{"10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.1"}}
	tests := []struct {
		config    ClientAddress
		remote    string
		forwarded []string
		want      string
		reason    string
	}{
		{standard, "203.0.113.7:4711", nil, "203.0.113.7", "a direct client"},
		{standard, "203.0.113.7:4711", []string{"198.51.100.4"}, "203.0.113.7", "who cannot claim another address"},
		{standard, "203.0.113.7", nil, "203.0.113.7", "middleware left out the port"},
		{standard, "[::ffff:203.0.113.7]:4711", nil, "203.0.113.7", "a mapped address is IPv4"},
		{standard, "[2001:db8:1:2:3:4:5:6]:4711", nil, "2001:0db8:0001:0002:0000:0000:0000:0000", "IPv6 is cut to its /64"},
		{standard, "[fe80::1%eth0]:4711", nil, "fe80:0000:0000:0000:0000:0000:0000:0000", "the zone of a socket is ours"},
		{standard, "127.0.0.1:4711", nil, "127.0.0.1", "local"},
		{standard, "[::1]:4711", nil, "0000:0000:0000:0000:0000:0000:0000:0000", "local by IPv6, cut like any other"},
		{standard, "127.0.0.1:4711", []string{"203.0.113.7"}, "203.0.113.7", "a local proxy is trusted"},
		{standard, "[::1]:4711", []string{"203.0.113.7"}, "203.0.113.7", "a local proxy is trusted"},
		{standard, "[::ffff:127.0.0.1]:4711", []string{"203.0.113.7"}, "203.0.113.7", "a local proxy is trusted"},
		{standard, "127.0.0.1:4711", []string{"198.51.100.4, 203.0.113.7"}, "203.0.113.7", "the left one is the client's claim"},
		{standard, "127.0.0.1:4711", []string{"198.51.100.4", "203.0.113.7"}, "203.0.113.7", "two lines are one list"},
		{standard, "127.0.0.1:4711", []string{"203.0.113.7", "127.0.0.1"}, "203.0.113.7", "the walk goes on in the line before"},
		{standard, "127.0.0.1:4711", []string{" 203.0.113.7 , ,"}, "203.0.113.7", "blanks and empty entries are dropped"},
		{standard, "127.0.0.1:4711", []string{"203.0.113.7, unknown"}, "127.0.0.1", "an invalid entry ends the walk"},
		{standard, "127.0.0.1:4711", []string{"unknown, 203.0.113.7"}, "203.0.113.7", "not one that the walk never reaches"},
		{standard, "127.0.0.1:4711", []string{"203.0.113.7", "unknown"}, "127.0.0.1", "nor does the line before save it"},
		{standard, "127.0.0.1:4711", []string{"203.0.113.7:80"}, "127.0.0.1", "no ports"},
		{standard, "127.0.0.1:4711", []string{"[2001:db8::1]"}, "127.0.0.1", "no brackets"},
		{standard, "127.0.0.1:4711", []string{"fe80::1%eth0"}, "127.0.0.1", "no zones"},
		{standard, "127.0.0.1:4711", []string{"010.0.0.1"}, "127.0.0.1", "no octal"},
		{standard, "127.0.0.1:4711", []string{""}, "127.0.0.1", "nothing"},
		{standard, "127.0.0.1:4711", []string{"::FFFF:cb00:7107"}, "203.0.113.7", "a mapped address in hexadecimal"},
		{standard, "127.0.0.1:4711", []string{"2001:DB8::1"}, "2001:0db8:0000:0000:0000:0000:0000:0000", "lower case"},
		{standard, "127.0.0.1:4711", []string{"::127.0.0.1"}, "0000:0000:0000:0000:0000:0000:0000:0000", "not a proxy's: neither mapped nor loopback"},
		{standard, "", []string{"203.0.113.7"}, "203.0.113.7", "headers that Go code vouches for"},
		{standard, "", []string{"198.51.100.4, 203.0.113.7"}, "203.0.113.7", "as if from a trusted proxy"},
		{standard, "", nil, "", "a call with nothing"},
		{standard, "@", []string{"203.0.113.7"}, "203.0.113.7", "a Unix socket"},
		{standard, "@", nil, "", "a Unix socket has no address"},
		{standard, "pipe", []string{"203.0.113.7"}, "", "whatever that is, it is not trusted"},
		{proxied, "10.1.2.3:80", []string{"203.0.113.7"}, "203.0.113.7", "a configured proxy"},
		{proxied, "10.1.2.3:80", []string{"198.51.100.4, 203.0.113.7, 10.9.9.9, 192.0.2.1"}, "203.0.113.7", "past all proxies"},
		{proxied, "10.1.2.3:80", []string{"10.9.9.9"}, "10.1.2.3", "nobody but proxies: the peer"},
		{proxied, "[2001:db8:ffff::9]:80", []string{"203.0.113.7"}, "203.0.113.7", "a range of IPv6"},
		{proxied, "192.0.2.2:80", []string{"203.0.113.7"}, "192.0.2.2", "an address is not a range"},
		{proxied, "127.0.0.1:80", []string{"203.0.113.7"}, "127.0.0.1", "the list replaces the default"},
		{ClientAddress{TrustedProxies: []string{}}, "127.0.0.1:80", []string{"203.0.113.7"}, "127.0.0.1", "an empty list trusts none"},
		{ClientAddress{IPv6Subnet: 128}, "[2001:db8::1]:80", nil, "2001:0db8:0000:0000:0000:0000:0000:0001", "whole addresses"},
		{ClientAddress{IPv6Subnet: 56}, "[2001:db8:1:2ff::1]:80", nil, "2001:0db8:0001:0200:0000:0000:0000:0000", "larger subnets"},
		{ClientAddress{IPv6Subnet: 33}, "203.0.113.7:80", nil, "203.0.113.7", "no matter for IPv4"},
		{ClientAddress{Disabled: true}, "203.0.113.7:80", []string{"203.0.113.7"}, "", "unknown by wish"},
	}
	for _, test := range tests {
		header := http.Header{}
		if test.forwarded != nil {
			header["X-Forwarded-For"] = test.forwarded
		}
		if got := mustResolve(t, test.config).resolve(test.remote, header); got != test.want {
			t.Errorf("%q %q: %q, want %q: %s", test.remote, test.forwarded, got, test.want, test.reason)
		}
	}
}

func TestClientAddress_headers(t *testing.T) {
	resolver := mustResolve(t, ClientAddress{Headers: []string{"cf-connecting-ip", "X-Real-IP"}})
	header := http.Header{"X-Forwarded-For": {"192.0.2.9"}, "X-Real-Ip": {"203.0.113.7"}}
	if got := resolver.resolve("127.0.0.1:80", header); got != "203.0.113.7" {
		t.Errorf("%q, want the one of the second header", got)
	}
	header.Set("CF-Connecting-IP", "198.51.100.4")
	if got := resolver.resolve("127.0.0.1:80", header); got != "198.51.100.4" {
		t.Errorf("%q, want the one of the first header", got)
	}
	header.Set("CF-Connecting-IP", "nonsense")
	if got := resolver.resolve("127.0.0.1:80", header); got != "203.0.113.7" {
		t.Errorf("%q, want the one of the next header", got)
	}
}

func TestNewClientAddress_mistakes(t *testing.T) {
	_, err := newClientAddress(ClientAddress{
		TrustedProxies: []string{"10.0.0.0/33", "localhost", "fe80::1%eth0", "::ffff:10.0.0.0/104", "", "10.0.0.1"},
		IPv6Subnet:     129,
	})
	if err == nil || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("%v, want six mistakes", err)
	}
}

// CVE-2026-45364: the textual address was the key of the rate limit, so one
// client had as many as it liked.
func TestAdvisory_GHSA_p6v2_xcpg_h6xw(t *testing.T) {
	resolver := mustResolve(t, ClientAddress{})
	sameClient := [][]string{
		{"203.0.113.7", "::ffff:203.0.113.7", "::FFFF:CB00:7107", "0:0:0:0:0:ffff:203.0.113.7"},
		{"2001:db8::1", "2001:DB8::1", "2001:0db8:0:0::ffff", "2001:db8::dead:beef"},
	}
	for _, spellings := range sameClient {
		want := resolver.resolve("127.0.0.1:80", http.Header{"X-Forwarded-For": spellings[:1]})
		for _, spelling := range spellings {
			if got := resolver.resolve("127.0.0.1:80", http.Header{"X-Forwarded-For": {spelling}}); got != want {
				t.Errorf("%q is %q, want %q", spelling, got, want)
			}
		}
	}
}

func FuzzClientAddress(f *testing.F) {
	f.Add("203.0.113.7:80", "198.51.100.4")
	f.Add("127.0.0.1:80", "198.51.100.4, ::1, 2001:db8::1")
	f.Add("[::1%eth0]:80", "1.2.3.4\x00")
	resolver := mustResolve(f, ClientAddress{})
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		got := resolver.resolve(remote, http.Header{"X-Forwarded-For": {forwarded}})
		if got == "" {
			return
		}
		address, err := parseAddress(got)
		if err != nil || resolver.normalise(address) != got {
			t.Errorf("%q is not normalised", got)
		}
	})
}

func BenchmarkClientAddress(b *testing.B) {
	resolver := mustResolve(b, ClientAddress{})
	header := http.Header{"X-Forwarded-For": {"198.51.100.4, 203.0.113.7"}}
	b.ReportAllocs()
	for b.Loop() {
		resolver.resolve("127.0.0.1:4711", header)
	}
}
