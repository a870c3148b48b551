package auth

import (
	"net/http"
	"strings"
)

// Bearer lets clients without cookies send their session's token in a header (RFC
// 6750): "Authorization: Bearer …". Whenever a response gives a browser a session,
// the header set-auth-token has what to send; scripts of other origins may read it.
//
// The token is the value of the session's cookie, percent-encoded or not, or, unless
// RequireSignature is set, the bare token of a session, as other JSON has it. A
// good one counts in place of a session's cookie in the same request; all others
// are ignored, as if the header were not there. A request without cookies needs no
// Origin.
//
// Like the original, by default the plugin takes bare tokens: whoever reads the
// table of sessions, a backup of it or the answer of list-sessions can use them as
// they are. Set RequireSignature if clients take their tokens from set-auth-token.
type Bearer struct {
	// RequireSignature ignores tokens that are not signed.
	RequireSignature bool

	services *Services
}

// ID returns "bearer".
func (*Bearer) ID() string { return "bearer" }

// Extend is called by New.
func (b *Bearer) Extend(s *Services) (*Extension, error) {
	b.services = s
	return &Extension{
		SessionToken: b.sessionToken,
		After:        []RouteHook{{Run: b.expose}},
	}, nil
}

// sessionToken returns the session token of a request, empty if it has none or the
// signature does not hold.
func (b *Bearer) sessionToken(h http.Header) string {
	sent := BearerToken(h)
	if strings.Contains(sent, ".") {
		token, _ := b.services.OpenSessionToken(sent)
		return token
	}
	if b.RequireSignature {
		return ""
	}
	return sent
}

// expose tells clients without cookies what the session's cookie is.
func (b *Bearer) expose(x *Exchange) error {
	if len(x.Header()["Set-Cookie"]) == 0 {
		return nil // most responses
	}
	if sent := b.services.SentCookie(x, b.services.SessionCookie(x).Name); sent != nil {
		x.SetExposed("set-auth-token", sent.Value)
	}
	return nil
}
