package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// A client asks one request after the other on one connection. It costs little, so
// that few processors can keep a server busy.
type client struct {
	connection net.Conn
	answers    *bufio.Reader
}

// patience is how long a client asks at most: whatever happens, benchmarks end.
const patience = 5 * time.Minute

func (s *server) dial() (*client, error) {
	connection, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, err
	}
	return &client{connection, bufio.NewReader(connection)}, connection.SetDeadline(time.Now().Add(patience))
}

func (c *client) close() { _ = c.connection.Close() }

// A reply is what a load looks at in an answer.
type reply struct{ status, size int }

// good reports whether it has content: a session that was not found is null.
func (r reply) good() bool { return r.status == http.StatusOK && r.size > len("null") }

// An unexpectedReply is neither good nor a refusal.
type unexpectedReply reply

func (r unexpectedReply) Error() string {
	return fmt.Sprintf("status %d with %d bytes", r.status, r.size)
}

// ask sends a request, all of its bytes, and reads the answer.
func (c *client) ask(request []byte) (reply, error) {
	if _, err := c.connection.Write(request); err != nil {
		return reply{}, err
	}
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	size, err := io.Copy(io.Discard, response.Body)
	return reply{response.StatusCode, int(size)}, err
}

// The person who has signed up first on every server.
const (
	adaEmail    = "ada@example.com"
	adaPassword = "correct horse battery"
)

func getSessionBytes(cookies string) []byte {
	return fmt.Appendf(nil, "GET /api/auth/get-session HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n\r\n", cookies)
}

func signInBytes(email string) []byte {
	return postBytes("sign-in", fmt.Sprintf(`{"email":%q,"password":%q}`, email, adaPassword))
}

func signUpBytes(email string) []byte {
	return postBytes("sign-up", fmt.Sprintf(`{"name":"Ada Lovelace","email":%q,"password":%q}`, email, adaPassword))
}

func postBytes(what, content string) []byte {
	return fmt.Appendf(nil, "POST /api/auth/%s/email HTTP/1.1\r\nHost: localhost\r\nOrigin: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		what, origin, len(content), content)
}

// signUp signs Ada up and returns what her browser sends from then on.
func (s *server) signUp(tb testing.TB) (cookies string) {
	tb.Helper()
	response, content := s.exchange(tb, signUpBytes(adaEmail))
	var sent []string
	for _, cookie := range response.Cookies() {
		sent = append(sent, cookie.Name+"="+cookie.Value)
	}
	if response.StatusCode != http.StatusOK || len(sent) == 0 {
		tb.Fatalf("%s %s", response.Status, content)
	}
	return strings.Join(sent, "; ")
}

// checkSession ends the test unless the server answers get-session with Ada's, all
// its members and no others: a race is fair among those who say the same.
func (s *server) checkSession(tb testing.TB, cookies string) {
	tb.Helper()
	response, content := s.exchange(tb, getSessionBytes(cookies))
	var got sessionJSON
	if err := json.Unmarshal(content, &got); err != nil || got.User.Email != adaEmail || got.User.ID != got.Session.UserID {
		tb.Fatalf("%s %s (%v)", response.Status, content, err)
	}
	want, err := json.Marshal(sessionJSON{})
	if err != nil {
		tb.Fatal(err)
	}
	if got, want := members(tb, content), members(tb, want); !slices.Equal(got, want) {
		tb.Fatalf("an answer with the members %q, want %q", got, want)
	}
}

// members returns "session.token" and the like, sorted.
func members(tb testing.TB, content []byte) (names []string) {
	tb.Helper()
	var objects map[string]map[string]any
	if err := json.Unmarshal(content, &objects); err != nil {
		tb.Fatalf("%v: %s", err, content)
	}
	for object, values := range objects {
		for name := range values {
			names = append(names, object+"."+name)
		}
	}
	slices.Sort(names)
	return names
}

// exchange asks once and returns the whole answer.
func (s *server) exchange(tb testing.TB, request []byte) (*http.Response, []byte) {
	tb.Helper()
	c, err := s.dial()
	if err != nil {
		tb.Fatal(err)
	}
	defer c.close()
	if _, err := c.connection.Write(request); err != nil {
		tb.Fatal(err)
	}
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return response, bytes.TrimSpace(content)
}
