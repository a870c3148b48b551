package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
)

// An Auth is a configured instance. It is an http.Handler that serves every
// endpoint below the base path, and its API calls the same endpoints from Go.
// It is safe for concurrent use; hooks are registered before the first request.
type Auth struct {
	// API has every endpoint of the instance.
	API API

	core     *core
	pipeline *pipeline
	limiter  *limiter
	router   router
	disabled []string

	appName string
	answers []RouteAnswer // of plugins
}

// New makes an Auth. Its error joins all mistakes of the configuration.
func New(config Config) (*Auth, error) {
	kit := &Services{config: &config}
	added, pluginErr := extend("Config.Plugins", &config, kit)
	base, err := config.base()
	if err = errors.Join(err, config.check()); err != nil && base == nil {
		base = &url.URL{Scheme: "https", Host: "invalid"} // to find the other mistakes too
	}
	address, addressErr := newClientAddress(config.ClientAddress)
	core, coreErr := newCore(&config, added, base, address)
	if config.ClientAddress.Disabled {
		config.RateLimit.Disabled = true // nobody can be told apart
	}
	if config.RateLimit.Storage == nil {
		config.RateLimit.Storage = core.sharedRateStorage(config.SecondaryStorage)
	}
	limiter, limiterErr := newLimiter(config.RateLimit, added.rateRules()...)
	a := &Auth{core: core, limiter: limiter, disabled: slices.Clone(config.DisabledPaths), appName: config.AppName, answers: added.answers()}
	setDefault(&a.appName, defaultAppName)
	a.pipeline = a.newPipeline(&config, added, address)
	a.API = newAPI(core, a.pipeline)
	if err = errors.Join(err, pluginErr, coreErr, limiterErr, addressErr, added.checkEndpoints(&a.API)); err != nil {
		return nil, err
	}
	added.install(&a.API, core, a.pipeline)
	kit.core, kit.auth = core, a
	a.router = newRouter(base.Path, config.SkipTrailingSlashes, a.API.Operations())
	return a, nil
}

// newPipeline makes what all endpoints run in.
func (a *Auth) newPipeline(config *Config, added extensions, address *addressResolver) *pipeline {
	p := &pipeline{
		logger:    a.core.log,
		bodyLimit: config.MaxBodyBytes,
		address:   address.resolve,
		admit:     a.admit,
		intercept: added.interceptors(),
		guard:     a.core.guardURLs,
		before:    hookList(config.Hooks.Before),
		after:     hookList(config.Hooks.After),
		onError:   config.OnError,
	}
	setDefault(&p.bodyLimit, defaultBodyLimit)
	if a.core.sites != nil {
		p.locate = a.core.sites.locate
	}
	if len(a.core.sessionTokens) > 0 {
		p.carry = a.core.carrySession
	}
	return p
}

func hookList(hook Hook) []Hook {
	if hook == nil {
		return nil
	}
	return []Hook{hook}
}

// newCore makes the services and keeps the options of the core endpoints.
func newCore(config *Config, added extensions, base *url.URL, address *addressResolver) (*core, error) {
	services, err := newServices(config, added, base, address)
	return &core{
		services:      services,
		emailPassword: config.EmailPassword.withDefaults(),
		verification:  config.EmailVerification.withDefaults(),
		changing:      config.User.ChangeEmail,
		deletion:      config.User.Delete.withDefaults(),
		unlinkAll:     config.Account.AllowUnlinkingAll,
		errorURL:      config.ErrorPage.URL,
		errorPage:     config.ErrorPage.Render,
	}, err
}

func newServices(config *Config, added extensions, base *url.URL, address *addressResolver) (*services, error) {
	userFields := slices.Concat(added.columns("user"), config.User.Fields)
	sessionFields := slices.Concat(added.columns("session"), config.Session.Fields)
	s := &services{
		log:                 config.Logger,
		onEvent:             config.OnEvent,
		store:               config.Store,
		ids:                 config.IDs,
		newID:               config.NewID,
		userFields:          additional(userFields),
		hiddenUserFields:    hiddenNames(userFields),
		hiddenSessionFields: hiddenNames(sessionFields),
		session:             config.session(),
		signer:              newSigner(secretValues(config.Secret, config.Secrets)...),
		background:          config.Background,
		validateInfo:        config.User.ValidateInfo,
		proxies:             address,
	}
	s.session.Fields = additional(sessionFields)
	s.extend(added)
	if config.Stateless {
		s.store = NewMemoryStore()
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.background == nil {
		s.background = runNow
	}
	var passwordErr, originErr, checkErr error
	own, siteErr := s.openSites(config, added, base, address)
	if s.passwords, passwordErr = newPasswords(config.Passwords); passwordErr == nil {
		s.passwords.overloaded = func(ctx context.Context) { s.event(ctx, Event{Name: EventPasswordOverload}) }
	}
	if s.trusted, originErr = newTrustedOrigins(own, slices.Concat(config.TrustedOrigins, added.trustedOrigins())); originErr == nil {
		s.trusted.perRequest = config.TrustedOriginsFunc
	}
	s.origin, checkErr = newOriginCheck(config.OriginCheck, s.trusted)
	return s, errors.Join(siteErr, passwordErr, originErr, checkErr, s.openTables(config, added), s.openProviders(config))
}

// openProviders completes the providers and derives the keys of what flows carry.
func (s *services) openProviders(config *Config) error {
	s.linking, s.keepTokens = config.Account.Linking, config.Account.KeepTokens
	s.linking.TrustedProviders = slices.Clone(s.linking.TrustedProviders)
	s.stateInCookie, s.skipStateCookie = config.stateInCookie(), config.Account.SkipStateCookieCheck
	var stateErr, linkErr, tokenErr error
	s.stateSeal, stateErr = newEnvelope(purposeStateCookie, config.Secret, config.Secrets)
	s.linkSeal, linkErr = newEnvelope(purposeLinkSession, config.Secret, config.Secrets)
	if config.Account.EncryptTokens {
		s.tokenSeal, tokenErr = newEnvelope("", config.Secret, config.Secrets)
	}
	errs := []error{stateErr, linkErr, tokenErr}
	out := newOutgoing(config.HTTPClient)
	for _, p := range config.Providers {
		opened, err := newProvider(p, out, s.log)
		if err == nil && s.configuredProvider(p.ID) != nil {
			err = fmt.Errorf("auth: Config.Providers: %q is there twice", p.ID)
		}
		s.providers, errs = append(s.providers, opened), append(errs, err)
	}
	return errors.Join(errs...)
}

// openSites makes the only site, or the finder of those that are allowed. It
// returns the origins that are trusted for being ours.
func (s *services) openSites(config *Config, added extensions, base *url.URL, address *addressResolver) (own []originPattern, err error) {
	if config.DynamicBaseURL.set() {
		s.sites, own, err = config.newSiteFinder(base.Path, s.signer, added.sessionSeal(), address)
		return own, err
	}
	origin, originErr := ownOriginOf(base)
	cookies, cookieErr := config.newSessionCookies(base, s.signer, added.sessionSeal())
	s.home = &site{url: base.String(), origin: string(origin), cookies: cookies}
	return []originPattern{origin}, errors.Join(originErr, cookieErr)
}

// openTables binds the entities of the core to their tables and to the secondary
// storage.
func (s *services) openTables(config *Config, added extensions) error {
	var errs [5]error
	hooks, secondary := added.databaseHooks().and(config.DatabaseHooks), config.SecondaryStorage
	s.verifications = &verificationStore{
		services: s, shared: secondary, inDatabase: secondary == nil || config.Verification.StoreInDatabase,
		options: config.Verification,
	}
	errs[0] = s.openSessions(hooks, secondary)
	s.accounts, errs[1] = open(s, accountTable(), hooks.Account)
	s.verifications.entities, errs[2] = open(s, verificationTable(), hooks.Verification)
	if config.RateLimit.StoreInDatabase {
		s.rateCounts, errs[3] = open(s, rateLimitTable(), EntityHooks[rateRow]{})
	}
	errs[4] = s.openPluginTables(config, added)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if err := checkReferences(s.tables()); err != nil {
		return err
	}
	return s.announce(s.tables())
}

// openSessions is openTables for users and sessions, which are all that reading
// sessions needs.
func (s *services) openSessions(hooks DatabaseHooks, secondary SecondaryStorage) error {
	var userErr, sessionErr error
	s.users = &userStore{}
	s.sessions = &sessionStore{services: s, inDatabase: secondary == nil || s.session.StoreInDatabase, preserve: s.session.PreserveInDatabase}
	s.users.entities, userErr = open(s, userTable(s.userFields), hooks.User)
	s.sessions.entities, sessionErr = open(s, sessionTable(s.session.Fields), hooks.Session)
	if err := errors.Join(userErr, sessionErr); err != nil {
		return err
	}
	s.users.changed = s.sessions.userChanged
	if secondary != nil {
		s.sessions.shared = newSharedSessions(secondary, s.sessions.records, s.users.records, s.session.ExpiresIn, s.sessions.inDatabase)
	}
	return nil
}

// announce tells a store that has to know about its tables.
func (s *services) announce(tables []*Table) error {
	if store, ok := s.store.(SchemaStore); ok {
		return store.OpenTables(tables)
	}
	return nil
}

// tables returns the tables that are in use, each behind those it references.
func (s *services) tables() []*Table {
	tables := []*Table{s.users.table}
	if s.sessions.inDatabase {
		tables = append(tables, s.sessions.table)
	}
	tables = append(tables, s.accounts.table)
	if s.verifications.inDatabase {
		tables = append(tables, s.verifications.table)
	}
	if s.rateCounts != nil {
		tables = append(tables, s.rateCounts.table)
	}
	for _, t := range s.pluginTables {
		tables = append(tables, t.table())
	}
	return tables
}

// ServeHTTP serves the endpoints below the base path. Mount it at
// BasePath + "/", without http.StripPrefix.
func (a *Auth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	escaped := r.URL.EscapedPath()
	if slices.Contains(a.disabled, a.router.path(escaped)) {
		w.Header().Set("Content-Type", "text/plain;charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("Not Found"))
		return
	}
	op, params := a.router.find(r.Method, escaped)
	switch {
	case !a.pipeline.admits(w, r, op):
	case op == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		op.serve(w, r, params)
	}
}

// admit is the rate limiter's turn, before anything of the request is read.
func (a *Auth) admit(ctx context.Context, r *http.Request, address, path string) error {
	retryAfter, ok, err := a.limiter.allow(ctx, r, address, path)
	if err != nil || ok {
		return err
	}
	a.core.event(ctx, Event{Name: EventRateLimited, Address: address, Attrs: []slog.Attr{slog.String("path", path)}})
	return tooManyRequests(retryAfter)
}

// Transaction runs fn in one transaction of the store. Endpoints that are called
// with the ctx that fn receives join it: all of them are stored or, if fn or
// one of them fails, none, and the mails and hooks that wait for the commit run
// after it. A bare Store.Transaction would not hold those back.
//
// If the database rolls the transaction back in favour of another one (a deadlock),
// fn is run again, ten times at most, and then the error is ErrRolledBack. So fn begins
// anew each time and changes nothing but what is stored and its own results.
func (a *Auth) Transaction(ctx context.Context, fn func(ctx context.Context) error) error {
	return a.core.transact(ctx, fn)
}

// Cleanup removes sessions and verifications that have expired, with hooks around
// deletions, and rows of plugins that have. In a database a thousand rows go at a time,
// so that nobody waits for long; an error leaves the rest to the next call. The Logger is
// told how many rows of each table went. Ordinary work removes what it happens to meet. A program whose
// users seldom return to their old sessions calls it now and then, for instance
// once a day: nothing else depends on it.
func (a *Auth) Cleanup(ctx context.Context) error { return a.core.removeExpired(ctx) }

// Session returns the session and user that a request's cookies stand for, nil
// if there is none. It only reads: one look into the store, no prolongation, no
// cookies. Where it is all that a program uses, sessions end when they expire;
// RequireSession and API.GetSession prolong them. An error means that the store
// failed, or that DynamicBaseURL does not allow the host (*APIError, 421).
func (a *Auth) Session(r *http.Request) (*SessionData, error) {
	return a.core.peekSession(r)
}

// RequireSession guards a handler: requests without a session are answered with
// 401. The handler finds the session by SessionFromContext. A session that is
// due is prolonged, as by get-session, and its cookies are forwarded.
func (a *Auth) RequireSession(next http.Handler) http.Handler {
	return guardHandler(a.pipeline, next, func(w http.ResponseWriter, r *http.Request) (*SessionData, error) {
		return a.API.GetSession.Call(r.Context(), GetSessionRequest{Refresh: true}, WithRequest(r), ForwardHeaders(w))
	})
}

// guardHandler hands requests on with the session that read finds.
func guardHandler(p *pipeline, next http.Handler, read func(w http.ResponseWriter, r *http.Request) (*SessionData, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := read(w, r)
		if err == nil && data == nil {
			err = ErrUnauthorized.With(http.StatusUnauthorized)
		}
		if err != nil {
			p.writeError(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(withSession(r.Context(), data)))
	})
}

type sessionKey struct{}

func withSession(ctx context.Context, data *SessionData) context.Context {
	return context.WithValue(ctx, sessionKey{}, data)
}

// SessionFromContext returns the session of a handler behind RequireSession, or
// of an endpoint that has one, nil elsewhere.
func SessionFromContext(ctx context.Context) *SessionData {
	if x := ExchangeFrom(ctx); x != nil {
		if data, ok := x.state.(*SessionData); ok {
			return data
		}
	}
	data, _ := ctx.Value(sessionKey{}).(*SessionData)
	return data
}
