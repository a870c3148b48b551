package providertest

import (
	"regexp"
	"testing"
)

// An exception is a difference that is meant.
type exception struct {
	flow, difference, reason string
}

var exceptions = []exception{
	// What the original makes of profiles that no provider sends.
	{`^(cloudflare|vk).*: .*_name is (missing|null|""|0|true|false|\{|\[)`, `^name`,
		`a name is of texts and numbers; the original has users called "Ann undefined" and "[object Object]"`},
	{`^yandex: default_avatar_id is (true|\{|\[)`, `^image`, "an id is a text or a number"},
	{`^discord.*: avatar is (missing|0|12|1.5|true|false|\{|\[)`, `^failure: false`, "the picture does not matter to the sign-in, which ends in status 500 there"},
	{`^discord.*: avatar is ""`, `^(image|profile)`, "an empty name names no picture"},
	{`^discord.*: discriminator is`, `^(image|profile)`, "there is no picture NaN.png"},
	{`^discord.*: id is ("text"|"true"|"false"|1.5)`, `^failure: false`, "the picture does not matter to the sign-in, which ends in status 500 there"},
	{`^facebook: picture(.data)? is`, `^failure: false`, "the picture does not matter to the sign-in, which ends in status 500 there"},
	{`^spotify: images is (missing|null)`, `^failure: false`, "the picture does not matter to the sign-in, which ends in status 500 there"},
	{`^microsoft: verified_primary_email is`, `^failure: false`, "an odd list verifies nothing; it ends in status 500 there"},
	{`^(gitlab|vercel): name is (""|0|false)`, `^name`, "an empty name is none, as at other providers"},
	{`^yandex: (display_name|default_email) is (""|0|false)`, `^(name|failure)`, "an empty name or address is none, as at other providers"},
	{`^hubspot: user_id is (""|0|false)`, `^failure`, "an empty id is none, as at other providers"},

	{`^github \(addresses\): \d is null`, `^failure: false`, "an odd entry of the list is skipped; it ends in status 500 there"},
	{`^reddit: icon_img is`, `^failure: false`, "the picture does not matter to the sign-in, which ends in status 500 there"},

	// What it makes of odd answers to a grant.
	{`, tokens: (access|refresh|id)_token is (60|1.5|-5|1e300|\[|\{|true)`, `.`, `a token is a text, not "[object Object]"`},
	{`, tokens: access_token is (missing|null|""|0|false)`, `^(failure|requests)`, `without an access token nobody is asked; the original asks with "undefined"`},
	{`^github, tokens: all is`, `^failure: "unable_to_get_user_info"`, "an answer without tokens leads to no profile, as at other providers"},
	{`, tokens: expires_in is (\[|true)`, `^expiry`, "a lifetime is a number"},
	{`^wechat, tokens: expires_in is (null|""|0|false)`, `^expiry`, "a lifetime of nothing is none, as at other providers"},
	{`^wechat, tokens: scope is`, `^(failure|requests)`, "scopes are not needed to sign in"},
	{`^wechat, tokens: openid is`, `^(failure|requests)`, "an id is a text or a number"},

	// What is sent.
	{`^(gumroad|hubspot|patreon|yandex), scopes of the request`, `^URL`, "the scopes of the request stand behind the others, as at most providers; their order means nothing (RFC 6749 section 3.3)"},
	{`^(tiktok|wechat), no scopes by default`, `^URL`, "there is no empty scope"},
	{`^(notion|railway|reddit|twitter), no secret`, `^(failure|requests|refresh)`, "a client without secret is a public one; the original cannot exchange the code"},
	{`^zoom, no challenge`, `^requests`, "a verifier without a challenge proves nothing"},
	{`^(tiktok|wechat), no secret`, `^(requests|refresh)`, `there is no secret "undefined"`},
	{`^reddit`, `^refresh`, "Reddit wants the User-Agent with every request"},
}

// explain returns the reason of a difference, empty if there is none.
func (e *explained) explain(flow, difference string) string {
	for i, exception := range exceptions {
		if regexp.MustCompile(exception.flow).MatchString(flow) && regexp.MustCompile(exception.difference).MatchString(difference) {
			e.used[i] = true
			return exception.reason
		}
	}
	return ""
}

// explained remembers which exceptions there was a use for.
type explained struct{ used []bool }

func newExplained() *explained { return &explained{make([]bool, len(exceptions))} }

// check wants them all: one that is not needed any more might hide a mistake.
func (e *explained) check(t *testing.T) {
	t.Helper()
	for i, used := range e.used {
		if !used {
			t.Errorf("nothing differs any more: %s %s: %s", exceptions[i].flow, exceptions[i].difference, exceptions[i].reason)
		}
	}
}
