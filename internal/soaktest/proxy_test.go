package soaktest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A proxy passes connections on to a server that may move, and can cut them.
type proxy struct {
	listener net.Listener

	mu     sync.Mutex
	target string                // empty: connections are refused
	conns  map[*net.TCPConn]bool // and whether it is one to the server
}

func newProxy(tb testing.TB) *proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &proxy{listener: listener, conns: make(map[*net.TCPConn]bool)}
	go p.accept()
	tb.Cleanup(func() {
		_ = listener.Close()
		p.cut()
	})
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// cut breaks all connections and returns their addresses at the server.
func (p *proxy) cut() (addresses []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn, inner := range p.conns {
		if inner {
			addresses = append(addresses, conn.LocalAddr().String())
		}
		_ = conn.SetLinger(0) // what was on its way is lost
		_ = conn.Close()
	}
	return addresses
}

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.pass(conn.(*net.TCPConn))
	}
}

func (p *proxy) pass(client *net.TCPConn) {
	defer func() { _ = client.Close() }()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	conn, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	server := conn.(*net.TCPConn)
	defer func() { _ = server.Close() }()
	p.hold(client, server)
	defer p.release(client, server)
	var ends sync.WaitGroup
	for _, way := range [][2]*net.TCPConn{{client, server}, {server, client}} {
		ends.Go(func() {
			_, _ = io.Copy(way[1], way[0])
			_ = way[0].Close()
			_ = way[1].Close()
		})
	}
	ends.Wait()
}

func (p *proxy) hold(client, server *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[client], p.conns[server] = false, true
}

func (p *proxy) release(client, server *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, client)
	delete(p.conns, server)
}
