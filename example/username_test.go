package main

import "testing"

func TestUsername(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.post("/sign-up", "name", "Ada Lovelace", "email", "ada@example.com", "username", "Ada.L", "new-password", firstPassword).
		at("/account").says(`value="Ada.L"`)
	s.browser(t).signIn("ada.l", firstPassword).at("/account").says("ada@example.com")
	s.browser(t).signIn("ADA.L", firstPassword).at("/account")
	s.browser(t).signIn("ada@example.com", firstPassword).at("/account")
	s.browser(t).signIn("ada.l", secondPassword).at("/sign-in").notices("Error: Invalid username or password").says(`value="ada.l"`)

	b.post("/account", "name", "Ada", "username", "Countess").at("/account").notices("Your profile is saved.").says(`value="Countess"`)
	s.browser(t).signIn("ada.l", firstPassword).at("/sign-in")
	s.browser(t).signIn("countess", firstPassword).at("/account")

	b.post("/account", "name", "Ada", "username", "").at("/account").notices("Your profile is saved.").saysNot("Countess")
	s.browser(t).signIn("countess", firstPassword).at("/sign-in")
}

func TestUsernameOfSomebodyElse(t *testing.T) {
	s := start(t)
	s.browser(t).post("/sign-up", "name", "Ada", "email", "ada@example.com", "username", "ada", "new-password", firstPassword).at("/account")
	b := s.browser(t)
	b.signUp("grace@example.com")
	p := b.post("/account", "name", "Grace", "username", "ADA").at("/account").
		notices("Error: Username is already taken. Please try another.").says(`value="ADA"`)
	if got := markedInput(p); got != "username" {
		t.Errorf("input %q is marked", got)
	}
}
