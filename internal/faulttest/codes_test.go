package faulttest

import (
	"context"
	"fmt"
	"testing"

	"github.com/seed3b05b409/auth"
)

// Codes that were sent by e-mail: what they are for is done with them or not at all.
var codeScenarios = []scenario{
	{endpoint: "sendVerificationOTP", config: withCodes, post: "/email-otp/send-verification-otp", body: `{"email":"ann@example.com","type":"sign-in"}`,
		status: 200, change: "verification+1"},
	{endpoint: "sendVerificationOTP", variant: "to nobody", config: withCodes, post: "/email-otp/send-verification-otp",
		body: `{"email":"nobody@example.com","type":"email-verification"}`, status: 200},
	{endpoint: "requestPasswordResetEmailOTP", config: withCodes, post: "/email-otp/request-password-reset", body: `{"email":"ann@example.com"}`,
		status: 200, change: "verification+1"},
	{endpoint: "signInEmailOTP", variant: "of a new user", config: withCodes, given: code("sign-in", "cat@example.com"),
		post: "/sign-in/email-otp", body: `{"email":"cat@example.com","otp":"123456"}`,
		status: 200, change: "session+1 user+1 verification-1", again: 400},
	{endpoint: "signInEmailOTP", variant: "that is the first proof", config: withCodes, given: code("sign-in", "ann@example.com"),
		post: "/sign-in/email-otp", body: `{"email":"ann@example.com","otp":"123456"}`,
		status: 200, change: "account-2 session+1 session-2 user~1 verification-1", again: 400},
	{endpoint: "signInEmailOTP", config: withCodes, given: both(verified, code("sign-in", "ann@example.com")),
		post: "/sign-in/email-otp", body: `{"email":"ann@example.com","otp":"123456"}`,
		status: 200, change: "session+1 verification-1", again: 400},
	{endpoint: "signInEmailOTP", variant: "with a wrong code", config: withCodes, given: code("sign-in", "ann@example.com"),
		post: "/sign-in/email-otp", body: `{"email":"ann@example.com","otp":"000000"}`,
		status: 400, change: "verification+1 verification-1"},
	{endpoint: "checkVerificationOTP", config: withCodes, given: code("sign-in", "ann@example.com"),
		post: "/email-otp/check-verification-otp", body: `{"email":"ann@example.com","type":"sign-in","otp":"123456"}`,
		status: 200, change: "verification+1 verification-1"},
	{endpoint: "verifyEmailOTP", config: withCodes, given: code("email-verification", "ann@example.com"),
		post: "/email-otp/verify-email", body: `{"email":"ann@example.com","otp":"123456"}`,
		status: 200, change: "session+1 user~1 verification-1", again: 400},
	{endpoint: "resetPasswordEmailOTP", config: withCodes, given: both(verified, code("forget-password", "ann@example.com")),
		post: "/email-otp/reset-password", body: `{"email":"ann@example.com","otp":"123456","password":"the new one"}`,
		status: 200, change: "account~1 session-2 verification-1", aside: "verification+1 verification-1", again: 400},
	{endpoint: "requestEmailChangeEmailOTP", config: withCodes, as: "ANN", post: "/email-otp/request-email-change", body: `{"newEmail":"anna@example.com"}`,
		status: 200, change: "verification+1"},
	{endpoint: "changeEmailEmailOTP", config: withCodes, given: changeCode, as: "ANN", post: "/email-otp/change-email",
		body: `{"newEmail":"anna@example.com","otp":"123456"}`, status: 200, change: "user~1 verification-1", again: 400},
}

func withCodes(c *auth.Config) {
	c.Plugins = []auth.Plugin{&auth.EmailOTP{
		Send:        func(context.Context, auth.OTPMail) error { return nil },
		Generate:    func(context.Context, string, auth.OTPType) string { return "123456" },
		EmailChange: auth.OTPEmailChange{Enabled: true},
	}}
}

func code(typ, email string) func(*stage) {
	return func(s *stage) {
		s.withDirector(withCodes, func() {
			s.direct("/email-otp/send-verification-otp", fmt.Sprintf(`{"email":%q,"type":%q}`, email, typ))
		})
	}
}

func changeCode(s *stage) {
	s.withDirector(withCodes, func() { s.directAs("ANN", "/email-otp/request-email-change", `{"newEmail":"anna@example.com"}`) })
}

// withDirector has another configuration prepare something.
func (s *stage) withDirector(change func(*auth.Config), prepare func()) {
	director := s.director
	defer func() { s.director = director }()
	s.director = s.instance(s.plain, change)
	prepare()
}

// TestEveryStatementOfCodesFails is TestEveryStatementFails for them.
func TestEveryStatementOfCodesFails(t *testing.T) {
	onEachInTurn(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		for i := range codeScenarios {
			sc := &codeScenarios[i]
			s.run(t, sc.name(), func() { s.newTrial(sc, false).failEach(mishaps) })
		}
	})
}
