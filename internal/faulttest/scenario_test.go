package faulttest

import (
	"context"
	"slices"
	"time"

	"github.com/seed3b05b409/auth"
)

// A scenario is one request that touches the store.
type scenario struct {
	endpoint string // its name in the API
	variant  string // what is special about it

	config  func(*auth.Config)
	plugins bool         // all of them are there
	given   func(*stage) // what happened before

	as        string // whose cookie is sent, empty for a stranger
	get, post string // path
	body      string
	call      func(ctx context.Context, s *stage) outcome // instead of a request

	status int
	change string // of the tables, as the function of that name writes it
	again  int    // status of the same request once more; 0: the same

	// aside is a change that may be there without the rest: it is complete in
	// itself.
	aside string

	// insists: the request tries once more what fails.
	insists bool

	// lenient requests succeed for the client even if the store fails.
	lenient bool

	// brief ones run statements that others run too: these are refused, and no more.
	brief bool

	// slow ones take half a second, whatever happens.
	slow bool
}

// configure is what an instance for the scenario is made with.
func (sc *scenario) configure(c *auth.Config) {
	if sc.plugins {
		plugged(c)
	}
	if sc.config != nil {
		sc.config(c)
	}
}

func (sc *scenario) name() string {
	if sc.variant == "" {
		return sc.endpoint
	}
	return sc.endpoint + " " + sc.variant
}

var scenarios = slices.Concat(coreScenarios, pluginScenarios)

var coreScenarios = []scenario{
	{endpoint: "signUpEmail", post: "/sign-up/email", body: cat,
		status: 200, change: "account+1 session+1 user+1", again: 422},
	{endpoint: "signUpEmail", variant: "that hides users", config: hidingUsers, post: "/sign-up/email", body: cat,
		status: 200, change: "account+1 user+1"},
	{endpoint: "signUpEmail", variant: "of a hidden user", config: hidingUsers, post: "/sign-up/email",
		body: `{"name":"Ann","email":"ann@example.com","password":"password of cat"}`, status: 200},
	{endpoint: "signUpEmail", variant: "of a known user", post: "/sign-up/email",
		body: `{"name":"Ann","email":"ann@example.com","password":"password of cat"}`, status: 422},

	{endpoint: "signInEmail", post: "/sign-in/email", body: anns, status: 200, change: "session+1"},
	{endpoint: "signInEmail", variant: "with an outdated hash", given: outdatedHash, post: "/sign-in/email", body: anns,
		status: 200, change: "account~1 session+1", aside: "account~1"},
	{endpoint: "signInEmail", variant: "with a wrong password", post: "/sign-in/email",
		body: `{"email":"ann@example.com","password":"password of bob"}`, status: 401},
	{endpoint: "signInEmail", variant: "of nobody", post: "/sign-in/email",
		body: `{"email":"nobody@example.com","password":"password of bob"}`, status: 401},
	{endpoint: "signInEmail", variant: "before verification", config: hidingUsers, post: "/sign-in/email", body: anns, status: 403},

	{endpoint: "signOut", as: "ANN", post: "/sign-out", body: `{}`, status: 200, change: "session-1", lenient: true},

	{endpoint: "getSession", as: "ANN", get: "/get-session", status: 200},
	{endpoint: "getSession", variant: "with a refresh", config: refreshing, as: "ANN", get: "/get-session", status: 200, change: "session~1"},
	{endpoint: "getSession", variant: "by POST", config: deferring, as: "ANN", post: "/get-session", status: 200, change: "session~1"},
	{endpoint: "getSession", variant: "of an expired one", given: expired, as: "ANN", get: "/get-session", status: 200, change: "session-1"},

	{endpoint: "updateSession", as: "ANN", post: "/update-session", body: `{"theme":"dark"}`, status: 200, change: "session~1"},
	{endpoint: "listSessions", as: "ANN", get: "/list-sessions", status: 200},
	{endpoint: "revokeSession", as: "ANN", post: "/revoke-session", body: `{"token":"$PHONETOKEN"}`, status: 200, change: "session-1"},
	{endpoint: "revokeSession", variant: "of oneself", as: "ANN", post: "/revoke-session", body: `{"token":"$ANNTOKEN"}`,
		status: 200, change: "session-1", again: 401},
	{endpoint: "revokeSessions", as: "ANN", post: "/revoke-sessions", body: `{}`, status: 200, change: "session-2", again: 401},
	{endpoint: "revokeOtherSessions", as: "ANN", post: "/revoke-other-sessions", body: `{}`, status: 200, change: "session-1"},

	{endpoint: "requestPasswordReset", post: "/request-password-reset", body: `{"email":"ann@example.com"}`,
		status: 200, change: "verification+1"},
	{endpoint: "requestPasswordReset", variant: "of nobody", post: "/request-password-reset", body: `{"email":"nobody@example.com"}`, status: 200},
	{endpoint: "requestPasswordResetCallback", given: resetMail, get: "/reset-password/$TOKEN?callbackURL=/new", status: 302},
	{endpoint: "resetPassword", given: resetMail, post: "/reset-password", body: newPassword,
		status: 200, change: "account~1 session-2 verification-1", again: 400},
	{endpoint: "resetPassword", variant: "to a first one", given: both(resetMail, noPassword), post: "/reset-password", body: newPassword,
		status: 200, change: "account+1 session-2 verification-1", again: 400},

	{endpoint: "verifyPassword", as: "ANN", post: "/verify-password", body: `{"password":"password of ann"}`, status: 200},
	{endpoint: "verifyPassword", variant: "that is wrong", as: "ANN", post: "/verify-password", body: `{"password":"password of bob"}`, status: 400},
	{endpoint: "changePassword", as: "ANN", post: "/change-password",
		body:   `{"newPassword":"the new one","currentPassword":"password of ann"}`,
		status: 200, change: "account~1", again: 400},
	{endpoint: "changePassword", variant: "and sign out elsewhere", as: "ANN", post: "/change-password",
		body:   `{"newPassword":"the new one","currentPassword":"password of ann","revokeOtherSessions":true}`,
		status: 200, change: "account~1 session+1 session-2", again: 401},
	{endpoint: "setPassword", given: noPassword, as: "ANN", call: setPassword, status: 200, change: "account+1", again: 400},

	{endpoint: "sendVerificationEmail", as: "ANN", post: "/send-verification-email", body: `{"email":"ann@example.com"}`, status: 200},
	{endpoint: "sendVerificationEmail", variant: "to a stranger", post: "/send-verification-email", body: `{"email":"ann@example.com"}`,
		status: 200, slow: true},
	{endpoint: "verifyEmail", given: verificationMail, get: "/verify-email?token=$TOKEN", status: 200, change: "session+1 user~1"},
	{endpoint: "verifyEmail", variant: "signed in", given: verificationMail, as: "ANN", get: "/verify-email?token=$TOKEN",
		status: 200, change: "user~1"},

	{endpoint: "changeEmail", given: verified, as: "ANN", post: "/change-email", body: `{"newEmail":"anna@example.com"}`, status: 200},
	{endpoint: "changeEmail", variant: "to a taken one", given: verified, as: "ANN", post: "/change-email",
		body: `{"newEmail":"bob@example.com"}`, status: 200},
	{endpoint: "changeEmail", variant: "at once", config: changingAtOnce, as: "ANN", post: "/change-email",
		body: `{"newEmail":"anna@example.com"}`, status: 200, change: "user~1", again: 400},
	{endpoint: "verifyEmail", variant: "for a change", given: changeMail, as: "ANN", get: "/verify-email?token=$TOKEN",
		status: 200, change: "user~1", again: 401},

	{endpoint: "updateUser", as: "ANN", post: "/update-user", body: `{"name":"Anna"}`, status: 200, change: "user~1"},

	{endpoint: "deleteUser", as: "ANN", post: "/delete-user", body: `{"password":"password of ann"}`,
		status: 200, change: "account-2 session-2 user-1", again: 401},
	{endpoint: "deleteUser", variant: "by mail", config: deletingByMail, as: "ANN", post: "/delete-user", body: `{}`,
		status: 200, change: "verification+1"},
	{endpoint: "deleteUser", variant: "with a token", config: deletingByMail, given: deletionMail, as: "ANN", post: "/delete-user",
		body: `{"token":"$TOKEN"}`, status: 200, change: "account-2 session-2 user-1 verification-1", again: 401},
	{endpoint: "deleteUserCallback", config: deletingByMail, given: deletionMail, as: "ANN", get: "/delete-user/callback?token=$TOKEN",
		status: 200, change: "account-2 session-2 user-1 verification-1", again: 404},

	{endpoint: "listUserAccounts", as: "ANN", get: "/list-accounts", status: 200},
	{endpoint: "unlinkAccount", as: "ANN", post: "/unlink-account", body: `{"accountId":"$GITHUB"}`,
		status: 200, change: "account-1", again: 400},
	{endpoint: "unlinkAccount", variant: "of a provider that is known", brief: true, given: linked, as: "ANN", post: "/unlink-account",
		body: `{"accountId":"$ACME"}`, status: 200, change: "account-1", again: 400},
	{endpoint: "accountInfo", as: "ANN", get: "/account-info?accountId=$CREDENTIAL", status: 400},
	{endpoint: "getAccessToken", as: "ANN", post: "/get-access-token", body: `{"accountId":"$CREDENTIAL"}`, status: 400},
	{endpoint: "refreshToken", as: "ANN", post: "/refresh-token", body: `{"accountId":"$CREDENTIAL"}`, status: 400},

	{endpoint: "signInSocial", post: "/sign-in/social", body: atAcme, status: 200, change: "verification+1"},
	{endpoint: "signInSocial", variant: "with an id_token of a new user", brief: true, post: "/sign-in/social", body: catsToken,
		status: 200, change: "account+1 session+1 user+1"},
	{endpoint: "signInSocial", variant: "with an id_token", brief: true, given: linked, post: "/sign-in/social", body: annsToken,
		status: 200, change: "account~1 session+1 user~1"},
	{endpoint: "signInSocial", variant: "with an id_token that links", brief: true, given: verified, post: "/sign-in/social", body: annsToken,
		status: 200, change: "account+1 session+1"},
	{endpoint: "linkSocialAccount", as: "ANN", post: "/link-social", body: atAcme, status: 200, change: "verification+1"},
	{endpoint: "linkSocialAccount", variant: "with an id_token", brief: true, as: "ANN", post: "/link-social", body: annsToken,
		status: 200, change: "account+1"},
	{endpoint: "linkSocialAccount", variant: "with another id_token", brief: true, given: linked, as: "ANN", post: "/link-social", body: annsToken,
		status: 200, change: "account~1"},

	// A flow is used up before anything else is done.
	{endpoint: "callbackOAuth", variant: "of a new user", given: signingIn, get: "/callback/acme?code=1.cat@example.com&state=$STATE",
		status: 302, change: "account+1 session+1 user+1 verification-1", aside: "verification-1"},
	{endpoint: "callbackOAuth", variant: "of a known one", brief: true, given: both(linked, signingIn), get: "/callback/acme?code=2.ann@example.com&state=$STATE",
		status: 302, change: "account~1 session+1 user~1 verification-1", aside: "verification-1"},
	{endpoint: "callbackOAuth", variant: "that links", given: both(verified, signingIn), get: "/callback/acme?code=1.ann@example.com&state=$STATE",
		status: 302, change: "account+1 session+1 verification-1", aside: "verification-1"},
	{endpoint: "callbackOAuth", variant: "of one who is refused", brief: true, given: signingIn, get: "/callback/acme?code=1.ann@example.com&state=$STATE",
		status: 302, change: "verification-1"},
	{endpoint: "callbackOAuth", variant: "that was to link", given: linking, get: "/callback/acme?code=1.ann@example.com&state=$STATE",
		status: 302, change: "account+1 verification-1", aside: "verification-1"},
	{endpoint: "callbackOAuth", variant: "that was to link again", brief: true, given: both(linked, linking), get: "/callback/acme?code=2.ann@example.com&state=$STATE",
		status: 302, change: "account~1 verification-1", aside: "verification-1"},

	{endpoint: "getAccessToken", variant: "that is good", brief: true, given: linked, as: "ANN", post: "/get-access-token", body: `{"accountId":"$ACME"}`, status: 200},
	{endpoint: "getAccessToken", variant: "that has expired", given: exhausted, as: "ANN", post: "/get-access-token", body: `{"accountId":"$ACME"}`,
		status: 200, change: "account~1", insists: true},
	{endpoint: "refreshToken", variant: "of a provider", brief: true, given: linked, as: "ANN", post: "/refresh-token", body: `{"accountId":"$ACME"}`,
		status: 200, change: "account~1", insists: true},
	{endpoint: "accountInfo", variant: "of a provider", brief: true, given: exhausted, as: "ANN", get: "/account-info?accountId=$ACME",
		status: 200, change: "account~1", insists: true},
	{endpoint: "signOut", variant: "at the provider too", config: loggingOut, given: linked, as: "ANN", post: "/sign-out", body: `{}`,
		status: 200, change: "session-1", lenient: true},
}

// storeless endpoints have no scenario.
var storeless = []string{"ok", "error", "generateTOTP", "generateOpenAPISchema", "openAPIReference"}

const (
	cat         = `{"name":"Cat","email":"cat@example.com","password":"password of cat"}`
	anns        = `{"email":"ann@example.com","password":"password of ann"}`
	newPassword = `{"newPassword":"the new one","token":"$TOKEN"}`
)

var (
	annsToken = `{"provider":"acme","idToken":{"token":"` + idTokenOf("ann@example.com") + `"}}`
	catsToken = `{"provider":"acme","idToken":{"token":"` + idTokenOf("cat@example.com") + `"}}`
)

func loggingOut(c *auth.Config) {
	c.Providers[0].EndSessionURL = "https://acme.test/end"
}

func hidingUsers(c *auth.Config)    { c.EmailPassword.RequireEmailVerification = true }
func refreshing(c *auth.Config)     { c.Session.RefreshAlways = true }
func deferring(c *auth.Config)      { c.Session.RefreshAlways, c.Session.DeferRefresh = true, true }
func changingAtOnce(c *auth.Config) { c.User.ChangeEmail.WithoutVerification = true }

func deletingByMail(c *auth.Config) {
	c.User.Delete.SendVerification = c.EmailPassword.SendResetPassword
}

func both(first, second func(*stage)) func(*stage) {
	return func(s *stage) { first(s); second(s) }
}

func outdatedHash(s *stage) {
	s.db.exec(s.t, `UPDATE "account" SET "password" = 'old:password of ann' WHERE "id" = ?`, s.words["CREDENTIAL"])
}

func noPassword(s *stage) {
	s.db.exec(s.t, `DELETE FROM "account" WHERE "id" = ?`, s.words["CREDENTIAL"])
}

func verified(s *stage) {
	s.db.exec(s.t, `UPDATE "user" SET "emailVerified" = true WHERE "id" = ?`, s.words["USER"])
}

func expired(s *stage) {
	s.db.exec(s.t, `UPDATE "session" SET "expiresAt" = ? WHERE "token" = ?`, s.db.hourAgo(), s.words["ANNTOKEN"])
}

// hourAgo is a date as the tables have it.
func (d *database) hourAgo() any {
	then := time.Now().Add(-time.Hour).UTC()
	if d.Dialect == auth.SQLite {
		return then.Format("2006-01-02T15:04:05.000Z")
	}
	return then
}

func resetMail(s *stage) {
	s.direct("/request-password-reset", `{"email":"ann@example.com"}`)
	s.mailed()
}

func verificationMail(s *stage) {
	s.directAs("ANN", "/send-verification-email", `{"email":"ann@example.com"}`)
	s.mailed()
}

func changeMail(s *stage) {
	verified(s)
	s.directAs("ANN", "/change-email", `{"newEmail":"anna@example.com"}`)
	s.mailed()
}

func deletionMail(s *stage) {
	director := s.director
	defer func() { s.director = director }()
	s.director = s.instance(s.plain, deletingByMail)
	s.directAs("ANN", "/delete-user", `{}`)
	s.mailed()
}
