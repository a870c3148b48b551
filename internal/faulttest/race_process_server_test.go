package faulttest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/redisstorage"
)

// servedRaces is the environment of a server that takes part in races: a racer.
const servedRaces = "FAULTTEST_RACES"

// A racer is one of the servers on one database. It is this test's program in another
// process.
type racer struct {
	Driver, Source string
	Redis          string // the prefix of its keys; empty: all is in the database
	Outside        string // URL of the test, which gets the mails and is the provider

	pool     *sql.DB
	compared tallies
	hashes   gate
}

const raceLimit = 7 // requests that /limited and /alone let through

// The limits of the second factor, and of the queue of passwords.
const (
	raceLockout     = 4
	raceBudget      = 5 // of a challenge, and of a code that was sent
	raceOTPAttempts = 3
	raceHashing     = 2
	raceWaiting     = 3
)

// mounts are the base paths of a racer's instances. All work on the same tables.
var mounts = map[string]func(r *racer, c *auth.Config){
	"/main": nil,

	// no lockout and no memory of codes: what is left is the budget of a challenge
	"/budget": func(_ *racer, c *auth.Config) {
		tf := twoFactorOf(c)
		tf.Lockout.Disabled, tf.PreventReplay = true, false
	},

	"/cookie": func(_ *racer, c *auth.Config) { c.Account.State = auth.StateInCookie },

	"/limited": func(r *racer, c *auth.Config) {
		c.RateLimit = auth.RateLimit{Rules: limited, StoreInDatabase: r.Redis == ""}
	},

	"/alone": func(_ *racer, c *auth.Config) {
		c.SecondaryStorage = nil
		c.RateLimit = auth.RateLimit{Rules: limited}
	},

	"/slow": func(r *racer, c *auth.Config) {
		c.Passwords = auth.Passwords{Hasher: &r.hashes, MaxConcurrent: raceHashing, MaxWaiting: raceWaiting}
	},
}

var limited = map[string]auth.RateRule{"/ok": {Max: raceLimit, Window: time.Hour}}

func twoFactorOf(c *auth.Config) *auth.TwoFactor {
	i := slices.IndexFunc(c.Plugins, func(p auth.Plugin) bool { return p.ID() == "two-factor" })
	return c.Plugins[i].(*auth.TwoFactor)
}

// serveRace is the main function of a racer. It ends with the test.
func serveRace() {
	r := &racer{}
	if err := json.Unmarshal([]byte(os.Getenv(servedRaces)), r); err != nil {
		log.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	handler, err := r.handler()
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, handler))
}

func (r *racer) handler() (http.Handler, error) {
	p := products[slices.IndexFunc(products, func(p product) bool { return p.Driver == r.Driver })]
	connector, err := p.connect(r.Source, nil)
	if err != nil {
		return nil, err
	}
	r.pool = sql.OpenDB(connector)
	r.pool.SetMaxOpenConns(8)
	r.pool.SetMaxIdleConns(8)
	outside, err := url.Parse(r.Outside)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for path, change := range mounts {
		config := r.config(p.Dialect, path, outside)
		if change != nil {
			change(r, &config)
		}
		a, err := auth.New(config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if err := a.Migrate(context.Background()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		mux.Handle(path+"/", a)
		mux.HandleFunc("POST "+path+"/set-password", settingPassword(a))
	}
	mux.HandleFunc("GET /compared", func(w http.ResponseWriter, q *http.Request) {
		_, _ = fmt.Fprint(w, r.compared.of(q.FormValue("code")))
	})
	mux.HandleFunc("POST /gate/close", r.hashes.close)
	mux.HandleFunc("POST /gate/open", r.hashes.open)
	return mux, nil
}

// settingPassword lets a client call what has no URL.
func settingPassword(a *auth.Auth) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in auth.SetPasswordRequest
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		var response *http.Response
		_, _ = a.API.SetPassword.Call(r.Context(), in, auth.WithRequest(r), auth.AsResponse(&response))
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	}
}

func (r *racer) config(dialect auth.Dialect, path string, outside *url.URL) auth.Config {
	mail := func(ctx context.Context, email, token string) error {
		body := fmt.Sprintf(`{"to":%q,"token":%q}`, email, token)
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Outside+"/mail", strings.NewReader(body))
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(q)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	send := func(ctx context.Context, m auth.Mail) error { return mail(ctx, m.User.Email, m.Token) }
	config := auth.Config{
		BaseURL: origin, BasePath: path, TrustedOrigins: []string{origin},
		Secret:    strings.Repeat("secret of the server ", 2),
		Store:     auth.NewSQLStore(r.pool, dialect),
		Passwords: auth.Passwords{Hasher: plainHasher{}},
		EmailPassword: auth.EmailPassword{
			Enabled: true, SendResetPassword: send, RevokeSessionsOnPasswordReset: true,
		},
		EmailVerification: auth.EmailVerification{Send: send, AutoSignIn: true},
		User: auth.UserOptions{
			ChangeEmail: auth.ChangeEmail{Enabled: true},
			Delete:      auth.DeleteUser{Enabled: true, SendVerification: send},
		},
		Providers:  []auth.Provider{acmeProvider("acme"), acmeProvider("other")},
		Account:    auth.AccountOptions{Linking: auth.AccountLinking{DifferentEmails: true}},
		HTTPClient: &http.Client{Transport: detour{outside}},
		RateLimit:  auth.RateLimit{Disabled: true},
		Logger:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Plugins: []auth.Plugin{
			&auth.Username{},
			&auth.MagicLink{Send: func(ctx context.Context, m auth.MagicLinkMail) error { return mail(ctx, m.Email, m.Token) }},
			&auth.EmailOTP{
				Send:        func(ctx context.Context, m auth.OTPMail) error { return mail(ctx, m.Email, m.Code) },
				EmailChange: auth.OTPEmailChange{Enabled: true}, AllowedAttempts: raceOTPAttempts,
				Store: auth.OTPStorage{Hash: r.compare},
			},
			&auth.TwoFactor{
				SkipVerificationOnEnable: true, PreventReplay: true,
				OTP: auth.TwoFactorOTPOptions{
					Send:            func(ctx context.Context, user *auth.User, code string) error { return mail(ctx, user.Email, code) },
					AllowedAttempts: raceBudget,
				},
				BackupCodes: auth.BackupCodeOptions{Storage: auth.BackupCodeStorage{Plain: true}},
				Lockout:     auth.TwoFactorLockout{MaxFailedAttempts: raceLockout},
			},
			&auth.MultiSession{},
			&auth.OneTimeToken{},
		},
	}
	if r.Redis != "" {
		client := redis.NewClient(&redis.Options{Addr: redisAddress()})
		config.SecondaryStorage = redisstorage.New(client, redisstorage.Options{Prefix: r.Redis})
	}
	return config
}

// compare is how codes are stored. Whenever somebody brings one it is counted.
func (r *racer) compare(_ context.Context, code string) (string, error) {
	r.compared.add(code)
	return auth.HashIdentifier(code), nil
}

// tallies count names.
type tallies struct {
	mu     sync.Mutex
	counts map[string]int
}

func (y *tallies) add(name string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.counts == nil {
		y.counts = make(map[string]int)
	}
	y.counts[name]++
}

func (y *tallies) of(name string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.counts[name]
}

// A gate is a PasswordHasher that verifies nothing while it is closed.
type gate struct {
	plainHasher

	mu     sync.Mutex
	closed chan struct{} // until it is opened
}

func (g *gate) close(http.ResponseWriter, *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = make(chan struct{})
}

func (g *gate) open(http.ResponseWriter, *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil {
		close(g.closed)
		g.closed = nil
	}
}

func (g *gate) Verify(ctx context.Context, hash, password string) (bool, error) {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed != nil {
		select {
		case <-closed:
		case <-time.After(patience):
		}
	}
	return g.plainHasher.Verify(ctx, hash, password)
}

// A detour leads requests to the network to one server.
type detour struct{ to *url.URL }

func (d detour) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = d.to.Scheme, d.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

// outside is what racers reach over the network: mailboxes, and a provider.
type outside struct {
	acme acme

	mu    sync.Mutex
	mails map[string][]string // tokens by address
}

func (o *outside) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/mail" {
		response, err := o.acme.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(response.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(response.StatusCode)
		_, _ = w.Write(body.Bytes())
		return
	}
	var mail struct{ To, Token string }
	if err := json.NewDecoder(r.Body).Decode(&mail); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails[mail.To] = append(o.mails[mail.To], mail.Token)
}

// last is the token of the last mail to an address.
func (o *outside) last(address string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if mails := o.mails[address]; len(mails) > 0 {
		return mails[len(mails)-1]
	}
	return ""
}
