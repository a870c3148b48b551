package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// ClientAddress says how the IP address of a client is found, which is stored
// in its sessions and counted by the rate limiter. The zero value is right for
// a server that clients reach directly and for one behind a reverse proxy on
// the same machine.
//
// The address is that of the network connection. Only if a trusted proxy is at
// its other end are the headers read: from right to left, the first address
// that is not a trusted proxy's is the client's. Anything further left is
// what the client claims.
type ClientAddress struct {
	// TrustedProxies are the IP addresses and CIDR ranges of the reverse
	// proxies in front of the server: "10.0.0.0/8". A range that clients can
	// connect from lets them choose their address. Default (nil): the loopback
	// addresses. A list that is empty but not nil trusts no proxy.
	TrustedProxies []string

	// Headers in which the trusted proxies report the client's address, the
	// first with an answer wins. A header that a proxy passes on instead of
	// setting is the client's word. Default: X-Forwarded-For.
	Headers []string

	// IPv6Subnet is the number of leading bits by which IPv6 clients are told
	// apart, since one client usually has a whole subnet. Default: 64.
	IPv6Subnet int

	// Disabled leaves the addresses of clients unknown: none is stored in
	// sessions.
	Disabled bool
}

// addressResolver finds the address of a client (contract section 8.5). Unlike
// the original it starts at the socket, which nobody can forge.
type addressResolver struct {
	proxies    []netip.Prefix
	headers    []string // canonical
	ipv6Subnet int
	disabled   bool
}

// newClientAddress reports all mistakes in the configuration together.
func newClientAddress(config ClientAddress) (*addressResolver, error) {
	a := &addressResolver{
		headers:    []string{"X-Forwarded-For"},
		ipv6Subnet: 64,
		disabled:   config.Disabled,
	}
	var mistakes []error
	if len(config.Headers) > 0 {
		a.headers = make([]string, len(config.Headers))
		for i, name := range config.Headers {
			a.headers[i] = http.CanonicalHeaderKey(name)
		}
	}
	if config.IPv6Subnet != 0 {
		a.ipv6Subnet = config.IPv6Subnet
	}
	if a.ipv6Subnet < 1 || a.ipv6Subnet > 128 {
		mistakes = append(mistakes, fmt.Errorf("auth: ClientAddress.IPv6Subnet: %d is not between 1 and 128", a.ipv6Subnet))
	}
	proxies := config.TrustedProxies
	if proxies == nil {
		proxies = []string{"127.0.0.0/8", "::1"}
	}
	for _, text := range proxies {
		prefix, err := parsePrefix(text)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("auth: ClientAddress.TrustedProxies: %w", err))
			continue
		}
		a.proxies = append(a.proxies, prefix)
	}
	return a, errors.Join(mistakes...)
}

// parsePrefix reads an address or a range. A mapped IPv4 address means the
// IPv4 address, a range of them is a mistake.
func parsePrefix(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		prefix, err := netip.ParsePrefix(text)
		if err == nil && prefix.Addr().Is4In6() {
			err = fmt.Errorf("%q: write the range of IPv4 addresses", text)
		}
		return prefix, err
	}
	address, err := parseAddress(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return address.Prefix(address.BitLen())
}

// parseAddress reads a bare address: no port, no brackets, no zone.
func parseAddress(text string) (netip.Addr, error) {
	address, err := netip.ParseAddr(text)
	if err == nil && address.Zone() != "" {
		err = fmt.Errorf("%q: zones have no meaning on other machines", text)
	}
	return address.Unmap(), err
}

// resolve returns the client's normalised address, empty if it is unknown.
//
// remoteAddr is that of the http.Request. It is empty in a direct call that
// passes only headers: the calling Go code vouches for these, so they are read
// as if a trusted proxy had sent them. The same goes for a Unix socket, whose
// peers have no address and which only local proxies can open.
func (a *addressResolver) resolve(remoteAddr string, header http.Header) string {
	if a.disabled {
		return ""
	}
	peer := parsePeer(remoteAddr)
	if isLocalPeer(remoteAddr) || a.isProxy(peer) {
		for _, name := range a.headers {
			if client := a.walk(header[name]); client.IsValid() {
				return a.normalise(client)
			}
		}
	}
	return a.normalise(peer)
}

// speaksFor reports whether the forwarding headers of a request are those of a
// trusted proxy. Those that a direct call passes without a request are.
func (a *addressResolver) speaksFor(r *http.Request) bool {
	return r == nil || isLocalPeer(r.RemoteAddr) || a.isProxy(parsePeer(r.RemoteAddr))
}

func isLocalPeer(remoteAddr string) bool { return remoteAddr == "" || remoteAddr[0] == '@' }

// parsePeer returns the address of a socket, which the net package writes with
// its port; some middleware leaves that out.
func parsePeer(remoteAddr string) netip.Addr {
	if peer, err := netip.ParseAddrPort(remoteAddr); err == nil {
		return peer.Addr().Unmap().WithZone("")
	}
	peer, _ := netip.ParseAddr(remoteAddr)
	return peer.Unmap().WithZone("")
}

// walk goes through the addresses of a header from right to left, past the
// trusted proxies. The lines of the header count as one list. What is not an
// address ends the walk without result, since what is left of it was written
// by somebody unknown.
func (a *addressResolver) walk(lines []string) netip.Addr {
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			comma := strings.LastIndexByte(rest, ',')
			token := strings.TrimSpace(rest[comma+1:])
			if more = comma >= 0; more {
				rest = rest[:comma]
			}
			if token == "" {
				continue
			}
			hop, err := parseAddress(token)
			if err != nil {
				return netip.Addr{}
			}
			if !a.isProxy(hop) {
				return hop
			}
		}
	}
	return netip.Addr{}
}

func (a *addressResolver) isProxy(address netip.Addr) bool {
	for _, prefix := range a.proxies {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// normalise writes an address the one way in which it is stored and counted:
// IPv6 as eight full groups, cut to the subnet.
func (a *addressResolver) normalise(address netip.Addr) string {
	switch {
	case !address.IsValid():
		return ""
	case address.Is4():
		return address.String()
	}
	return netip.PrefixFrom(address, a.ipv6Subnet).Masked().Addr().StringExpanded()
}
