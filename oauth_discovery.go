package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

// endpoints are where a provider answers, and what is known of its id_tokens.
type endpoints struct {
	authorization, token, userInfo, endSession string

	issuer  string        // "": unknown, the callback's iss is not compared
	namesIt bool          // the callback has an iss (RFC 9207)
	openID  bool          // an OpenID provider: scope openid, subject sub
	idToken *idTokenRules // nil: id_tokens cannot be verified
}

// discovery fetches a provider's metadata (OpenID Connect Discovery 1.0, RFC 8414)
// once it succeeds. Callers that come meanwhile wait for the same request.
type discovery struct {
	turn  chan struct{} // held by who fetches
	mu    sync.Mutex
	found *endpoints
}

func newDiscovery() *discovery { return &discovery{turn: make(chan struct{}, 1)} }

func (d *discovery) result() *endpoints {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.found
}

// ready makes sure that the provider's endpoints are known. Errors: its metadata
// cannot be read or is of no use; the next request tries again.
func (p *oauthProvider) ready(ctx context.Context) error {
	d := p.discovery
	if d.result() != nil {
		return nil
	}
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if d.result() != nil {
		return nil
	}
	found, err := p.discover(ctx)
	if err != nil {
		return fmt.Errorf("auth: discovery of provider %s: %w", p.ID, err)
	}
	d.mu.Lock()
	d.found = found
	d.mu.Unlock()
	return nil
}

// endpoints are those that ready has found.
func (p *oauthProvider) endpoints() *endpoints { return p.discovery.result() }

func (p *oauthProvider) openID() bool { return p.endpoints().openID }

// metadata is the part of a discovery document that matters here.
type metadata struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	UserInfo      string   `json:"userinfo_endpoint"`
	EndSession    string   `json:"end_session_endpoint"`
	KeySet        string   `json:"jwks_uri"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	NamesIssuer   bool     `json:"authorization_response_iss_parameter_supported"`
}

func (p *oauthProvider) discover(ctx context.Context) (*endpoints, error) {
	document, err := p.fetchMetadata(ctx)
	if err != nil {
		return nil, err
	}
	found, err := p.evaluate(document)
	if err != nil {
		return nil, err
	}
	setDefault(&found.authorization, document.Authorization)
	setDefault(&found.token, document.Token)
	setDefault(&found.userInfo, document.UserInfo)
	setDefault(&found.endSession, document.EndSession)
	return found, found.check(p.Exchange != nil)
}

// evaluate checks the document's own claims and makes the rules for id_tokens.
func (p *oauthProvider) evaluate(document *metadata) (*endpoints, error) {
	if p.Issuer != "" && document.Issuer != p.Issuer {
		return nil, fmt.Errorf("its issuer is %q, not %q", document.Issuer, p.Issuer)
	}
	found := p.configured()
	found.issuer, found.openID = document.Issuer, len(document.Algorithms) > 0
	found.namesIt = document.NamesIssuer && document.Issuer != ""
	if document.Issuer != "" {
		if issuer, err := url.Parse(document.Issuer); err != nil || !issuer.IsAbs() {
			return nil, errors.New("its issuer is no URL")
		}
	}
	if document.KeySet == "" || document.Issuer == "" {
		if found.openID {
			return nil, errors.New("it signs id_tokens and names no issuer or no keys to verify them")
		}
		return found, nil
	}
	base, err := url.Parse(p.DiscoveryURL)
	if err != nil {
		return nil, err
	}
	keys, err := base.Parse(document.KeySet)
	if err != nil || keys.Scheme != "https" && keys.Scheme != "http" {
		return nil, errors.New("its jwks_uri is no URL")
	}
	found.idToken = p.rules(document.Issuer, keys.String(), p.headersFor(keys))
	found.idToken.algs = document.Algorithms
	return found, nil
}

// headersFor are those of the discovery request, for its own origin only.
func (p *oauthProvider) headersFor(u *url.URL) map[string]string {
	base, err := url.Parse(p.DiscoveryURL)
	if err != nil || base.Scheme != u.Scheme || base.Host != u.Host {
		return nil
	}
	return p.DiscoveryHeaders
}

// check wants what a flow cannot do without.
func (e *endpoints) check(exchanges bool) error {
	for _, one := range []struct{ name, value string }{
		{"authorization", e.authorization}, {"token", e.token}, {"userinfo", e.userInfo}, {"end session", e.endSession},
	} {
		if one.value == "" {
			continue
		}
		u, err := url.Parse(one.value)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
			return fmt.Errorf("its %s endpoint is no http or https URL", one.name)
		}
	}
	if e.authorization == "" || e.token == "" && !exchanges {
		return errors.New("there is no authorization endpoint or no token endpoint")
	}
	return nil
}

const maxDiscoveryRedirects = 5

// fetchMetadata reads the document. Headers of the configuration, which may hold a
// secret, do not follow a redirect to another origin.
func (p *oauthProvider) fetchMetadata(ctx context.Context) (*metadata, error) {
	r, err := http.NewRequest(http.MethodGet, p.DiscoveryURL, nil)
	if err != nil {
		return nil, err
	}
	client := *p.outgoing.following
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if len(via) > maxDiscoveryRedirects {
			return errors.New("too many redirects")
		}
		if len(p.DiscoveryHeaders) > 0 && (next.URL.Scheme != r.URL.Scheme || next.URL.Host != r.URL.Host) {
			return errors.New("redirected to another origin")
		}
		return nil
	}
	answer, err := p.outgoing.do(ctx, &client, bearing(r, "", p.DiscoveryHeaders))
	if err != nil {
		return nil, err
	}
	var document metadata
	if err := json.Unmarshal(answer.body, &document); err != nil {
		return nil, fmt.Errorf("it is no JSON object with the members of a provider's metadata: %w", err)
	}
	return &document, nil
}
