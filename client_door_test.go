package auth

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// A pipeListener is a network of one server: its connections are in memory, so that
// synctest knows when everybody waits.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (*pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// servePipe serves HTTP in memory until the test ends.
func servePipe(t *testing.T, h http.Handler) *http.Client {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: h}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	transport := &http.Transport{DialContext: l.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-served
	})
	return &http.Client{Transport: transport}
}

// client is the door from another process.
func (d *doorWorld) client(set doorSet) *Client {
	options := []ClientOption{
		ClientHTTP(servePipe(d.t, d)), ClientOrigin(testOrigin),
		ClientColumns(nil, []Column{{Name: "theme", Type: TypeString, Nullable: true, Optional: true}}),
	}
	if set.plugin != nil {
		options = append(options, ClientPlugins(set.plugin()))
	}
	c, err := NewClient("http://auth.internal", options...)
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// checkClientDoor sends a case by a Client: its Call says the same as a Call in process
// and as HTTP, and the response is byte for byte that of HTTP.
func checkClientDoor(t *testing.T, prepare func() *doorWorld, c doorCase, set doorSet, base answer) {
	t.Helper()
	var resp *http.Response
	d := prepare()
	_, err := d.call(d.client(set).API.Operation(c.op), c, AsResponse(&resp))
	if resp == nil {
		t.Fatalf("Client: no response, %v", err)
	}
	body, readErr := io.ReadAll(resp.Body)
	if readErr != nil {
		t.Fatal(readErr)
	}
	sameAnswer(t, "Client, AsResponse", d.answer(resp.StatusCode, resp.Header, string(body)), base)
	if err != nil {
		t.Errorf("Client, AsResponse returns the error %v", err)
	}

	var (
		status int
		header http.Header
	)
	d = prepare()
	out, err := d.call(d.client(set).API.Operation(c.op), c, ReturnStatus(&status), ReturnHeaders(&header))
	got := d.answer(status, header, outcomeBody(t, out, err))
	want := answer{base.Status, base.Header.Clone(), base.Body}
	want.Header.Del("Content-Type")
	if _, raw := out.(Raw); raw && err == nil {
		got.Header.Set("Content-Type", out.(Raw).ContentType)
		want.Header = base.Header
	}
	sameAnswer(t, "Client", got, want)
	if (err == nil) != (c.want == http.StatusOK) || err != nil && strings.Contains(err.Error(), errSecret.Error()) {
		t.Errorf("Client returns %v, HTTP %d", err, c.want)
	}
}
