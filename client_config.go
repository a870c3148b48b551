package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A ClientOption changes how NewClient makes a Client.
type ClientOption func(*clientConfig)

type clientConfig struct {
	url                       string
	origin                    string
	plugins                   []Plugin
	bearer                    *bearerToken
	http                      *http.Client
	userFields, sessionFields []Column
}

// defaultClientTimeout is long enough for a sign-in that waits for its turn.
const defaultClientTimeout = 30 * time.Second

// ClientPlugins binds the endpoints of the server's plugins: after NewClient,
// tf.Enable.Call(ctx, …) asks the server. Options of a plugin do not count here, except
// those that name its paths and columns. A value belongs to one Auth or Client.
func ClientPlugins(plugins ...Plugin) ClientOption {
	return func(c *clientConfig) { c.plugins = append(c.plugins, plugins...) }
}

// ClientOrigin is the origin at which browsers reach the server, scheme and host of its
// BaseURL, where this program reaches it under another URL. Calls have it as their
// Origin, and cookies are kept for it. Default: that of the URL.
func ClientOrigin(origin string) ClientOption {
	return func(c *clientConfig) { c.origin = origin }
}

// ClientBearer makes calls carry a token (RFC 6750) in place of cookies, for a server
// with the bearer plugin. It is a session's token, or empty for somebody who is yet to
// sign in: the Client takes every token that the server gives in set-auth-token.
func ClientBearer(token string) ClientOption {
	return func(c *clientConfig) { c.bearer = &bearerToken{token: token} }
}

// ClientHTTP gives the transport, the time limit of one try, and, if it has one, the
// cookie jar. CheckRedirect is not used. Default: http.DefaultTransport, 30 seconds,
// which is the default of its Timeout too, and a jar of its own.
func ClientHTTP(client *http.Client) ClientOption {
	return func(c *clientConfig) { c.http = client }
}

// ClientColumns are the server's additional columns of users and sessions
// (UserOptions.Fields, SessionOptions.Fields), so that their values have the types that
// they have there: a date is a time.Time. Those of ClientPlugins are known.
func ClientColumns(user, session []Column) ClientOption {
	return func(c *clientConfig) { c.userFields, c.sessionFields = user, session }
}

// open makes the Client.
func (c *clientConfig) open() (*Client, error) {
	base, urlErr := c.base()
	origin, originErr := c.serverOrigin(base)
	kit := &Services{config: &Config{BaseURL: origin.String(), BasePath: base.Path, Plugins: c.plugins}, remote: true}
	added, pluginErr := extend("ClientPlugins", kit.config, kit)
	entities, columnErr := newClientEntities(c, added)
	keys, keyErr := c.keys(origin)
	api := newAPI(&core{services: &services{}}, standalone)
	if err := errors.Join(urlErr, originErr, pluginErr, columnErr, keyErr, added.checkEndpoints(&api)); err != nil {
		return nil, err
	}
	there := &remote{
		base: base.String(), origin: origin.String(), told: c.origin != "",
		client: c.httpClient(), keys: keys, settle: entities.settle,
	}
	client := &Client{API: api, remote: there, bearer: c.bearer}
	client.bind(added)
	kit.core = new(core) // the plugins are bound
	return client, nil
}

// bind makes all endpoints those of the server.
func (c *Client) bind(added extensions) {
	p := &pipeline{bodyLimit: defaultBodyLimit, remote: c.remote}
	for _, op := range c.API.Operations() {
		op.untyped().moveTo(p)
	}
	session := c.API.GetSession.operation
	session.fn = session.askSession
	added.installRemotely(&c.API, p)
	c.router = newRouter(c.remote.path(), false, c.API.Operations())
}

// base reads the URL as New reads its BaseURL. With an error it is empty.
func (c *clientConfig) base() (*url.URL, error) {
	base, err := parseBase("NewClient: URL", c.url)
	if err != nil {
		return &url.URL{}, err
	}
	if base.Path = strings.TrimRight(base.Path, "/"); base.Path == "" {
		base.Path = defaultBasePath
	}
	_, err = ownOriginOf(base)
	return base, err
}

// serverOrigin returns the origin at which browsers reach the server.
func (c *clientConfig) serverOrigin(base *url.URL) (*url.URL, error) {
	if c.origin == "" {
		l, _ := parseLocation(base.String())
		return &url.URL{Scheme: l.scheme, Host: l.authority()}, nil
	}
	l, ok := parseLocation(c.origin)
	if !ok || !l.web() || l.origin() != c.origin {
		return &url.URL{}, fmt.Errorf("auth: ClientOrigin %q is no origin as browsers write it: scheme and host, in lower case, without a path", c.origin)
	}
	return &url.URL{Scheme: l.scheme, Host: l.authority()}, nil
}

// httpClient is the one that sends: it follows nothing and keeps nothing by itself.
func (c *clientConfig) httpClient() *http.Client {
	client := &http.Client{Timeout: defaultClientTimeout}
	if c.http != nil {
		client.Transport = c.http.Transport
		if c.http.Timeout != 0 {
			client.Timeout = c.http.Timeout
		}
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}
