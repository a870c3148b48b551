package main

import (
	"net/http"

	"github.com/seed3b05b409/auth"
)

// sendSignInLink says the same for every address, as the endpoint does. The link
// leads to the API, which signs in and leads on to one of these pages.
func (s *site) sendSignInLink(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	email := r.PostForm.Get("email")
	_, err = s.plugins.magicLink.SignIn.Call(r.Context(), auth.SignInMagicLinkRequest{
		Email:              email,
		CallbackURL:        "/account",
		NewUserCallbackURL: "/welcome",
		ErrorCallbackURL:   "/sign-in/link/error",
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", "", err
	}
	return "/sign-in/link", "We sent a mail to " + email + ". The link in it is good for five minutes and for one sign-in.", nil
}

// signInLinkError is where a link leads that is no good, to have a new one sent.
func (s *site) signInLinkError(w http.ResponseWriter, r *http.Request) {
	text := "That did not work. Please try again."
	if auth.Code(r.URL.Query().Get("error")) == auth.ErrInvalidToken {
		text = "The link has been used already or is too old. Ask for a new one, please."
	}
	setFlash(w, flash{Text: text, Error: true})
	http.Redirect(w, r, "/sign-in/link", http.StatusSeeOther)
}
