package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Limits of what a provider may take and send: a provider that is slow or lies
// must not hang or fill the server.
const (
	outgoingTimeout   = 10 * time.Second
	maxOutgoingBody   = 1 << 20
	maxOutgoingHeader = 64 << 10
)

// outgoing makes the requests to providers. It is safe for concurrent use.
type outgoing struct {
	following *http.Client
	refusing  *http.Client // redirects, so that secrets and keys come from nowhere else
	network   *network     // on which the provider's metadata is; nil: one for each request
}

// rememberingNetwork is for one provider, whose metadata leads to other addresses.
func (o *outgoing) rememberingNetwork() *outgoing {
	return &outgoing{following: o.following, refusing: o.refusing, network: new(network)}
}

// newOutgoing uses the client of the configuration, nil for one of our own.
func newOutgoing(client *http.Client) *outgoing {
	if client == nil {
		client = &http.Client{Transport: newTransport()}
	}
	following, refusing := *client, *client
	following.Jar, refusing.Jar = nil, nil // nothing that a provider sets is sent for another user
	refusing.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		return fmt.Errorf("auth: redirected to %s, which is refused", r.URL.Redacted())
	}
	return &outgoing{following: &following, refusing: &refusing}
}

// A providerReply is what a provider answered.
type providerReply struct{ body []byte }

// do sends a request with a deadline and returns the body of a reply that tells of
// success. Errors: everything else.
func (o *outgoing) do(ctx context.Context, client *http.Client, r *http.Request) (*providerReply, error) {
	ctx, cancel := context.WithTimeout(ctx, outgoingTimeout)
	defer cancel()
	n := o.network
	if n == nil {
		n = new(network)
	}
	resp, err := client.Do(r.WithContext(n.within(ctx)))
	if err != nil {
		return nil, fmt.Errorf("auth: request to %s: %w", r.URL.Host, innermost(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxOutgoingBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxOutgoingBody:
		return nil, fmt.Errorf("auth: %s sent more than %d bytes", r.URL.Host, maxOutgoingBody)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, fmt.Errorf("auth: %s answered %s", r.URL.Host, resp.Status)
	}
	return &providerReply{body}, nil
}

// innermost returns the error below those that repeat the URL, in whose query some
// providers want secrets.
func innermost(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}

// errNoObject means that a reply is of another kind than expected.
var errNoObject = errors.New("auth: a provider's reply is no JSON object")

// object decodes a JSON object, whatever the reply calls itself: Facebook and WeChat
// say text. Errors: errNoObject, and null.
func (r *providerReply) object() (object map[string]any, err error) {
	if err := json.Unmarshal(validUTF8(r.body), &object); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoObject, err)
	}
	if object == nil {
		return nil, errors.New("auth: a provider's reply is null")
	}
	return object, nil
}

// getObject fetches a JSON object with a bearer token, if that is not empty, and
// follows redirects.
func (o *outgoing) getObject(ctx context.Context, url, token string, headers map[string]string) (map[string]any, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return o.object(ctx, o.following, bearing(r, token, headers))
}

func (o *outgoing) object(ctx context.Context, client *http.Client, r *http.Request) (map[string]any, error) {
	answer, err := o.do(ctx, client, r)
	if err != nil {
		return nil, err
	}
	return answer.object()
}

// bearing gives a request an access token (RFC 6750) and further headers.
func bearing(r *http.Request, token string, headers map[string]string) *http.Request {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	return r
}

// postForm sends a form, refuses redirects and returns the JSON object that comes
// back.
func (o *outgoing) postForm(ctx context.Context, url string, form []param, headers map[string]string) (map[string]any, error) {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(encodeForm(form)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", mediaForm)
	r.Header.Set("Accept", mediaJSON)
	return o.object(ctx, o.refusing, bearing(r, "", headers))
}

// getKeys fetches a document that trust is built on: redirects are refused.
func (o *outgoing) getKeys(ctx context.Context, url string, headers map[string]string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := o.do(ctx, o.refusing, bearing(r, "", headers))
	if err != nil {
		return nil, err
	}
	return answer.body, nil
}
