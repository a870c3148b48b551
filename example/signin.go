package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/seed3b05b409/auth"
)

// signIn takes an address or a user name, which has no @.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	login, password := r.PostForm.Get("login"), r.PostForm.Get("password")
	remember := new(r.PostForm.Has("remember"))
	options := []auth.CallOption{auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit()}
	if strings.Contains(login, "@") {
		_, err = s.auth.API.SignInEmail.Call(r.Context(), auth.SignInEmailRequest{
			Email: login, Password: password, RememberMe: remember,
		}, options...)
	} else {
		_, err = s.plugins.username.SignIn.Call(r.Context(), auth.SignInUsernameRequest{
			Username: login, Password: password, RememberMe: remember,
		}, options...)
	}
	if _, challenged := errors.AsType[*auth.TwoFactorChallenge](err); challenged {
		return secondStepPath + appCode, "", nil
	}
	if err != nil {
		return "", "", err
	}
	return "/account", "", nil
}
