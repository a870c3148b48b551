package auth

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// A network remembers whether a provider was reached on the public network. From
// there nothing that it sends, a redirect or an address in its metadata, leads to
// an address inside: to this machine, its neighbours or the metadata service of a
// cloud. It is safe for concurrent use.
type network struct{ state atomic.Int32 }

const (
	networkUnknown int32 = iota
	networkPublic
	networkPrivate
)

type networkKey struct{}

// within makes requests with ctx remember and obey the network.
func (n *network) within(ctx context.Context) context.Context {
	ctx = context.WithValue(ctx, networkKey{}, n)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { n.reached(info.Conn.RemoteAddr()) },
	})
}

// reached keeps what the first connection was to.
func (n *network) reached(address net.Addr) {
	tcp, err := netip.ParseAddrPort(address.String())
	switch {
	case err != nil:
	case isPublic(tcp.Addr()):
		n.state.CompareAndSwap(networkUnknown, networkPublic)
	default:
		n.state.CompareAndSwap(networkUnknown, networkPrivate)
	}
}

// guardDial refuses a connection after its name was resolved and before it is made.
func guardDial(ctx context.Context, _, address string, _ syscall.RawConn) error {
	n, ok := ctx.Value(networkKey{}).(*network)
	if !ok || n.state.Load() != networkPublic {
		return nil
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(to.Addr()) {
		return fmt.Errorf("auth: a provider on the public network led to %s", address)
	}
	return nil
}

// sharedAddresses are those of RFC 6598, which netip does not count as private.
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsPrivate() && !sharedAddresses.Contains(a)
}

// newTransport makes the connections of the default client.
func newTransport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: outgoingTimeout, ControlContext: guardDial}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    outgoingTimeout,
		MaxResponseHeaderBytes: maxOutgoingHeader,
		IdleConnTimeout:        time.Minute,
		ForceAttemptHTTP2:      true,
	}
}
