package soaktest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// The server as its clients know it.
const (
	origin = "http://auth.test"
	base   = origin + "/api/auth"
)

// A door is a way to a server.
type door interface {
	// do sends a request. Nothing is ever sent twice. Errors: errUnsent if the server
	// cannot have heard of it; others if nobody knows.
	do(r *request) (*answer, error)
}

var errUnsent = errors.New("the request was not sent")

// patience is how long an answer may take.
const patience = 30 * time.Second

// A line is one connection to a server, made again when it has broken. (A
// http.Client would send some requests again.)
type line struct {
	address string
	weather *weather

	conn   net.Conn
	reader *bufio.Reader
	made   sky
}

func (l *line) do(r *request) (*answer, error) {
	if lost, _ := l.weather.since(l.made); lost {
		l.close()
	}
	if l.conn == nil {
		if err := l.dial(); err != nil {
			return nil, errors.Join(errUnsent, err)
		}
	}
	a, err := l.exchange(httpRequest(r))
	if err != nil {
		l.close()
	}
	return a, err
}

func (l *line) dial() (err error) {
	l.made = l.weather.look()
	if l.conn, err = net.DialTimeout("tcp", l.address, patience); err != nil {
		l.conn = nil
		return err
	}
	l.reader = bufio.NewReader(l.conn)
	return nil
}

func (l *line) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

func (l *line) exchange(r *http.Request) (*answer, error) {
	if err := l.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if err := r.Write(l.conn); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(l.reader, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return &answer{response.StatusCode, response.Header, body}, err
}

func httpRequest(r *request) *http.Request {
	var body io.Reader
	if r.body != nil {
		text, _ := json.Marshal(r.body)
		body = bytes.NewReader(text)
	}
	out, err := http.NewRequest(r.method, base+r.path, body)
	if err != nil {
		panic(err)
	}
	out.Header.Set("Origin", origin)
	if r.body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	if r.jar != nil && len(*r.jar) > 0 {
		out.Header.Set("Cookie", r.jar.header())
	}
	return out
}
