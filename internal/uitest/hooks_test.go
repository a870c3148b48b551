package uitest

import "testing"

// TestHooks: so do the hooks of @better-auth-ui/react.
func TestHooks(t *testing.T) { compare(t, (*script).hooks) }

func (s *script) hooks() {
	b := s.first
	s.step("visitor", b, func() { b.goTo("/hooks").sees("Enter") })
	s.step("sign-up", b, func() {
		b.goTo("/hooks/sign-up").fill("name", name, "email", email, "password", firstPassword).press("Join").sees("Hello, "+name, "1 sessions")
	})
	s.has(name, `SELECT name FROM user WHERE email = ?`, email)
	s.step("name", b, func() { b.fill("name", newName).press("Rename").sees("Hello, " + newName) })
	s.user("email", email)

	other := s.second
	s.step("wrong password", other, func() { s.enter("wrong password").sees("Invalid email or password") }, wrongEmailOrPassword)
	s.step("sign-in", other, func() { s.enter(firstPassword).sees("2 sessions") })
	s.countSessions(2)
	s.step("revoke a session", b, func() { b.goTo("/hooks").sees("2 sessions").press("End it").sees("1 sessions") })
	s.countSessions(1)
	s.step("revoked", other, func() { other.goTo("/hooks").sees("Enter") })
	s.step("sign-in again", other, func() { s.enter(firstPassword).sees("2 sessions") })
	s.step("revoke others", b, func() { b.goTo("/hooks").sees("2 sessions").press("End others").sees("1 sessions") })
	s.countSessions(1)

	before := s.hash()
	s.step("password with a wrong one", b, func() {
		b.fill("currentPassword", "wrong password", "newPassword", secondPassword).press("Change").sees("Invalid password")
	}, "POST /api/auth/change-password 400")
	s.step("password", b, func() {
		b.fill("currentPassword", firstPassword, "newPassword", secondPassword).press("Change").sees("Change: done")
	})
	if s.hash() == before {
		s.t.Error("the password is the same")
	}
	s.step("sign-out", b, func() { b.press("Leave").sees("Leave: done").goTo("/hooks").sees("Enter") })
	s.countSessions(0)

	s.step("forgotten password", b, func() { b.goTo("/hooks/forgot").fill("email", email).press("Forget").sees("Forget: done") })
	link := s.site.mail(s.t, "reset", email).URL
	s.step("password reset", b, func() {
		b.goTo(link).at("/hooks/reset").fill("newPassword", thirdPassword).press("Reset").sees("Reset: done")
	})
	s.step("old password", other, func() { s.enter(secondPassword).sees("Invalid email or password") }, wrongEmailOrPassword)
	s.step("new password", other, func() { s.enter(thirdPassword).sees("Hello, " + newName) })
	s.countSessions(1)
}

// enter signs in on the second device.
func (s *script) enter(password string) *tab {
	s.t.Helper()
	return s.second.goTo("/hooks").fill("email", email, "password", password).press("Enter")
}
