package faulttest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// A shot is a request to an instance of a racer.
type shot struct {
	method, path, body string // the path begins with that of the instance
	cookies            string
	address            string // of the client, as a proxy would report it
}

func get(path string) shot { return shot{method: http.MethodGet, path: path} }

func post(path, body string, args ...any) shot {
	return shot{method: http.MethodPost, path: path, body: fmt.Sprintf(body, args...)}
}

// as is the shot with cookies.
func (s shot) as(cookies ...string) shot {
	s.cookies = strings.Join(cookies, "; ")
	return s
}

// wire is the shot as it is written to a connection.
func (s shot) wire() ([]byte, error) {
	r, err := http.NewRequest(s.method, origin+s.path, strings.NewReader(s.body))
	if err != nil {
		return nil, err
	}
	r.Close = true
	r.Header.Set("Origin", origin)
	if s.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.cookies != "" {
		r.Header.Set("Cookie", s.cookies)
	}
	if s.address != "" {
		r.Header.Set("X-Forwarded-For", s.address)
	}
	var b bytes.Buffer
	err = r.Write(&b)
	return b.Bytes(), err
}

// An answer is what came back.
type answer struct {
	status   int
	location string
	body     string
	cookies  []*http.Cookie
}

// label is the status, and what the answer says went wrong: "400 INVALID_TOKEN",
// "302 state_mismatch".
func (a answer) label() string {
	var failure struct{ Code string }
	_ = json.Unmarshal([]byte(a.body), &failure)
	code := failure.Code
	if target, err := url.Parse(a.location); err == nil && a.location != "" {
		code = target.Query().Get("error")
	}
	return strings.TrimSpace(fmt.Sprint(a.status, " ", code))
}

// cookie is the one whose name ends like that, as a browser sends it back.
func (a answer) cookie(name string) string {
	for _, c := range a.cookies {
		if strings.HasSuffix(c.Name, name) && c.MaxAge >= 0 && c.Value != "" {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}

// session is the session's cookie, empty if there is none.
func (a answer) session() string { return a.cookie(tokenCookie) }

// A volley is shots that hit at the same moment. Each has a connection of its own and
// is sent but for its last byte; the servers have read the rest and wait when all last
// bytes are sent at once. Shots go to the servers in turn. The function is called with
// each answer as it comes.
func volley(t *testing.T, servers []string, shots []shot, seen func(answer)) []answer {
	t.Helper()
	held := make([]*heldShot, len(shots))
	for i, s := range shots {
		h, err := hold(servers[i%len(servers)], s)
		if err != nil {
			t.Fatal(err)
		}
		held[i] = h
	}
	time.Sleep(time.Millisecond) // the servers read
	for _, h := range held {
		_, _ = h.conn.Write(h.last) // if that fails, so does reading
	}
	answers := make([]answer, len(held))
	var mu sync.Mutex
	var done sync.WaitGroup
	for i, h := range held {
		done.Go(func() {
			a, err := h.answer()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%s %s: %v", shots[i].method, shots[i].path, err)
			}
			answers[i] = a
			if seen != nil {
				seen(a)
			}
		})
	}
	done.Wait()
	return answers
}

// A heldShot is a shot whose last byte is not sent yet.
type heldShot struct {
	conn net.Conn
	last []byte
}

func hold(server string, s shot) (*heldShot, error) {
	wire, err := s.wire()
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("tcp", server, patience)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(6 * patience)) // a server may wait for others of a crowd
	end := len(wire) - 1
	if _, err := conn.Write(wire[:end]); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &heldShot{conn, wire[end:]}, nil
}

func (h *heldShot) answer() (answer, error) {
	defer func() { _ = h.conn.Close() }()
	response, err := http.ReadResponse(bufio.NewReader(h.conn), nil)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header.Get("Location"), string(body), response.Cookies()}, err
}
