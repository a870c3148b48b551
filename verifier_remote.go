package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Limits of an answer of the server that a Verifier asks.
const (
	defaultRemoteTimeout = 5 * time.Second
	maxRemoteSession     = 1 << 20 // bytes
)

// remoteSessions are the sessions of a server that is asked over the network.
type remoteSessions struct {
	url    string // of get-session, which must not prolong the session
	client *http.Client
	copies bool // the server gets the copies that clients send
}

// withoutState returns a client like the given one, nil for the default, that
// shares nothing between the requests of different people, follows no redirect and
// does not wait for ever.
func withoutState(client *http.Client) *http.Client {
	var own http.Client
	if client != nil {
		own = *client
	}
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	setDefault(&own.Timeout, defaultRemoteTimeout)
	return &own
}

// ask returns the JSON object that the server answers to somebody with these
// cookies, nil if they have no session. All but these two is an error, a redirect
// too.
func (s *remoteSessions) ask(ctx context.Context, cookies string) (object []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, fmt.Errorf("auth: asking for a session: %w", err)
	}
	request.Header.Set("Cookie", cookies)
	request.Header.Set("Accept", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("auth: asking for a session: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("auth: %s answered with status %d", s.url, response.StatusCode)
	}
	if object, err = readAnswer(response.Body); err != nil {
		return nil, fmt.Errorf("auth: reading the answer of %s: %w", s.url, err)
	}
	if string(object) == "null" {
		return nil, nil
	}
	return object, nil
}

// readAnswer returns a text without the white space around it. Errors: there is
// none, or too much.
func readAnswer(body io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxRemoteSession+1))
	if err == nil && len(text) > maxRemoteSession {
		err = errors.New("it is too long")
	}
	text = bytes.TrimSpace(text)
	if err == nil && len(text) == 0 {
		err = errors.New("it is empty")
	}
	return text, err
}
