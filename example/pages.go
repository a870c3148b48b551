package main

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/seed3b05b409/auth"
)

// The pages for visitors. Each form calls one endpoint as a Go function: the
// request brings the cookies and the address of the client, the headers of the
// answer, which carry the new cookies, are forwarded.

func (s *site) signUp(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	in := auth.SignUpEmailRequest{
		Name:        r.PostForm.Get("name"),
		Email:       r.PostForm.Get("email"),
		Password:    r.PostForm.Get("new-password"),
		CallbackURL: "/link/verified",
	}
	if username := r.PostForm.Get("username"); username != "" {
		in.Fields = map[string]any{"username": username}
	}
	_, err = s.auth.API.SignUpEmail.Call(r.Context(), in, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", "", err
	}
	return "/account", "Welcome! We sent you a mail to verify your address.", nil
}

// signOut signs out at an OpenID provider too, which then leads back here.
func (s *site) signOut(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	out, err := s.auth.API.SignOut.Call(r.Context(), auth.SignOutRequest{CallbackURL: "/sign-in", DisableRedirect: true},
		auth.WithRequest(r), auth.ForwardHeaders(w))
	if err != nil {
		return "", "", err
	}
	return cmp.Or(out.URL, "/sign-in"), "You are signed out.", nil
}

// forgotPassword says the same whether the address is known or not, as the
// endpoint does.
func (s *site) forgotPassword(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	out, err := s.auth.API.RequestPasswordReset.Call(r.Context(), auth.RequestPasswordResetRequest{
		Email:      r.PostForm.Get("email"),
		RedirectTo: "/reset-password",
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", "", err
	}
	return "/forgot-password", out.Message + ".", nil
}

// resetPasswordPage is where the link in the mail leads: with a token, or with
// an error if the link has been used or is too old.
func (s *site) resetPasswordPage(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, "reset-password", r.URL.Query().Get("token"))
}

func (s *site) resetPassword(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	token := r.PostForm.Get("token")
	_, err = s.auth.API.ResetPassword.Call(r.Context(), auth.ResetPasswordRequest{
		NewPassword: r.PostForm.Get("new-password"),
		Token:       token,
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "/reset-password?token=" + url.QueryEscape(token), "", err
	}
	return "/sign-in", "Your password is changed. Sign in with the new one.", nil
}

// linkPage is where links in mails lead in the end. Anybody can open it, in
// another browser too. What was wrong with a link is in the query, as a code.
func (s *site) linkPage(w http.ResponseWriter, r *http.Request) {
	kind := r.PathValue("kind")
	if kind != "verified" && kind != "changed" && kind != "deleted" {
		s.notFound(w, r)
		return
	}
	result := linkResult{Kind: kind}
	if code := auth.Code(r.URL.Query().Get("error")); code != "" {
		result.Error = code.Message()
		if result.Error == "" {
			result.Error = "The link does not work."
		}
	}
	s.show(w, r, "link", result)
}

type linkResult struct {
	Kind  string // verified, changed or deleted
	Error string
}
