package conformancetest

import (
	"slices"
	"strings"
	"sync/atomic"
)

// A standing difference is one of docs/differences.md that shows in every step of
// a kind.
type standing struct {
	row      string
	variants []string // nil: all
	concerns func(s *step) bool
	lines    []string // … stands for any text
	used     atomic.Bool
}

var standings = []*standing{
	{
		row: "`get-session` answered from the cookie cache", variants: []string{"cache-*", "copies-*", "fields*-cache", "secrets", "stateless*", "oauth-*-cache", "oauth-stateless", "bearer-stateless", "multi-stateless", "ott-stateless", "bearer-cache", "multi-cache", "ott-cache", "username*-cache", "magic-cache", "probe-cache"},
		concerns: about("getSession"),
		lines:    []string{"* body in another order", "* value in another order"},
	},
	{
		row: "`get-session` answered from the cookie cache", variants: []string{"cache-*", "copies-*", "fields*-cache", "secrets", "stateless*", "oauth-*-cache", "oauth-stateless", "bearer-stateless", "multi-stateless", "ott-stateless", "bearer-cache", "multi-cache", "ott-cache", "username*-cache", "magic-cache", "probe-cache"},
		concerns: func(*step) bool { return true },
		lines:    []string{"* copy in another order"},
	},
	{
		row: "`get-session` answered from the cookie cache", variants: []string{"jwt-cookie", "jwt-cache", "jwt-*dynamic"}, // tokens say what it says
		concerns: about("getSession", "getToken"),
		lines:    []string{"* body in another order", "* value in another order", "* set-auth-jwt: in another order", "* copy in another order"},
	},
	{
		row:      "order of claims",
		concerns: about("verifyJWT"),
		lines:    []string{"* value in another order", "* body in another order"},
	},
	{
		row: "order of keys of a session in the secondary storage", variants: []string{"secondary*", "copies-secondary", "fields*-secondary", "hashed-resets", "database-hooks-secondary", "oauth-secondary*", "bearer-secondary", "multi-secondary", "ott-secondary", "username-secondary", "magic-secondary*", "jwt-secondary"},
		concerns: about("getSession", "listSessions", "updateSession", "listDeviceSessions", "setActiveSession", "verifyOneTimeToken", "magicLinkVerify"),
		lines:    []string{"* body in another order", "* value in another order"},
	},
	{
		row: "order of keys of a session in the secondary storage", variants: []string{"fields*-secondary"},
		concerns: func(*step) bool { return true },
		lines:    []string{"* entry in another order"},
	},
	{
		row: "order of keys of a verification in the secondary storage", variants: []string{"magic-secondary"},
		concerns: about("signInMagicLink"),
		lines:    []string{"* entry in another order"},
	},
	{
		row: "order of hooks at a sign-in by a link (`magic-link`)", variants: []string{"magic-hooks"},
		concerns: func(*step) bool { return true },
		lines:    []string{"* after in another place"},
	},
	{
		row: "members of users that have no value, without a database", variants: []string{"stateless*", "oauth-stateless", "bearer-stateless", "multi-stateless", "ott-stateless"},
		concerns: func(*step) bool { return true },
		lines:    []string{"* body with other members that are null", "* value with other members that are null", "* copy with other members that are null"},
	},
	{
		row:      "order of members of `account-info`",
		concerns: about("accountInfo"),
		lines:    []string{"* body in another order", "* value in another order"},
	},
	{
		row: "order of hooks at a sign-in at a provider", variants: []string{"oauth-hooks"},
		concerns: about("signInSocial", "callbackOAuth"),
		lines:    []string{"* after in another place"},
	},
	{
		row:      "state of a flow at a provider",
		concerns: about("signInSocial", "linkSocialAccount", "callbackOAuth"),
		lines:    []string{`+ state oauthProvider = "…"`},
	},
	{
		row:      "status of a direct call",
		concerns: func(s *step) bool { return s.verb == "call" && strings.Contains(s.rest, "returnStatus") },
		lines:    []string{"+ status 200"},
	},
	{
		row: "`/error`", concerns: about("error"),
		lines: []string{
			"- content-type: text/html", "+ content-type: text/html; charset=utf-8",
			"+ content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
			"+ referrer-policy: no-referrer", "+ x-content-type-options: nosniff",
		},
	},
	{
		row: "`/error`", variants: []string{"error-url", "oauth-error-url"}, concerns: about("error"),
		lines: []string{"+ content-type: application/json"},
	},
	{
		row: "hooks around the end of sessions that are in the secondary storage only", variants: []string{"database-hooks-secondary"},
		concerns: func(*step) bool { return true },
		lines:    []string{`+ before delete session.userAgent {"text":"conformance/1"}`, `+ after delete session.userAgent {"text":"conformance/1"}`},
	},
	{
		row: "hooks around the end of verifications that are in the secondary storage only", variants: []string{"database-hooks-secondary"},
		concerns: about("resetPassword"),
		lines:    []string{`+ after delete verification.value {"text":"<id …>"}`},
	},
	{
		row: "hooks after a change of an account at a password reset", variants: []string{"database-hooks*"},
		concerns: about("resetPassword"),
		lines:    []string{`- after update account.password {"text":""}`, `+ after update account.password {"text":"plain:battery staple"}`},
	},
	{
		row: "order of hooks when a changed password ends sessions", variants: []string{"database-hooks"},
		concerns: about("changePassword"),
		lines:    []string{"* before in another place", "* after in another place"},
	},
	{
		row: "`get-session` answered from the cookie cache", variants: []string{"email-otp-cache", "email-otp-change-cache"},
		concerns: func(*step) bool { return true },
		lines:    []string{"* body in another order", "* copy in another order"},
	},
	{
		row: "order of keys of a session in the secondary storage", variants: []string{"email-otp-secondary*"},
		concerns: about("getSession"),
		lines:    []string{"* body in another order"},
	},
	{
		row: "a code that was sent by e-mail and what it is brought for", variants: []string{"email-otp-order", "email-otp-hooks"},
		concerns: func(*step) bool { return true },
		lines:    []string{"* after in another place"},
	},
	{
		row: "a code that was sent by e-mail and what it is brought for", variants: []string{"email-otp-secondary*"},
		concerns: about("signInEmailOTP"),
		lines:    []string{"* entry in another place"},
	},
	{
		row: "deleting a user", variants: []string{"database-hooks*"}, // in one transaction: the hooks after it come last
		concerns: about("deleteUser"),
		lines:    []string{"* after in another place"},
	},
	{
		row: "`get-session` answered from the cookie cache", variants: []string{"two-factor-cache*"},
		concerns: about("getSession"),
		lines:    []string{"* body in another order"},
	},
	{
		row: "order of keys of a session in the secondary storage", variants: []string{"two-factor-secondary"},
		concerns: about("getSession"),
		lines:    []string{"* body in another order"},
	},
	{
		row: "hooks around the session of a sign-in that wants a second factor", variants: []string{"two-factor-hooks"},
		concerns: about("signInEmail"),
		lines: []string{
			`- before create session.userAgent {"text":"conformance/1"}`, `- after create session.userAgent {"text":"conformance/1"}`,
			`- before delete session.userAgent {"text":"conformance/1"}`, `- after delete session.userAgent {"text":"conformance/1"}`,
		},
	},
	{
		row: "order of hooks around a second factor", variants: []string{"two-factor-hooks"}, // in transactions: the hooks after it come last
		concerns: about("signInEmail", "enableTwoFactor", "disableTwoFactor", "verifyTOTP", "verifyTwoFactorOTP", "verifyBackupCode"),
		lines:    []string{"* after in another place", "* before in another place"},
	},
}

func about(endpoints ...string) func(*step) bool {
	return func(s *step) bool { return slices.Contains(endpoints, s.endpoint()) }
}

// withoutStanding takes the standing differences away.
func (v *variant) withoutStanding(s *step, difference []string) []string {
	for _, d := range standings {
		if d.variants != nil && !v.matches(d.variants) || !d.concerns(s) {
			continue
		}
		before := len(difference)
		difference = slices.DeleteFunc(difference, func(line string) bool {
			return slices.ContainsFunc(d.lines, func(wanted string) bool { return stands(wanted, line) })
		})
		if len(difference) < before {
			d.used.Store(true)
		}
	}
	return difference
}
