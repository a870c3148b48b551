package main

import (
	"net/http"

	"github.com/seed3b05b409/auth"
)

// The pages for people who are signed in. The forms need no guard of their own:
// an endpoint that needs a session refuses a call without one.

func (s *site) accountPage(w http.ResponseWriter, r *http.Request, data *auth.SessionData) {
	s.memberPage(w, r, "account", data)
}

func (s *site) passwordPage(w http.ResponseWriter, r *http.Request, data *auth.SessionData) {
	s.memberPage(w, r, "password", data)
}

func (s *site) deleteAccountPage(w http.ResponseWriter, r *http.Request, data *auth.SessionData) {
	s.memberPage(w, r, "delete-account", data)
}

// memberPage shows a page that depends on how the user signs in.
func (s *site) memberPage(w http.ResponseWriter, r *http.Request, name string, data *auth.SessionData) {
	methods, err := s.signInMethods(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, name, view{User: data.User, Data: methods})
}

func (s *site) updateProfile(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	in := auth.UpdateUserRequest{Name: new(r.PostForm.Get("name")), Image: auth.Null[string]()}
	if url := r.PostForm.Get("image"); url != "" {
		in.Image = auth.Some(url)
	}
	in.Fields = map[string]any{"username": nil, "displayUsername": nil}
	if username := r.PostForm.Get("username"); username != "" {
		in.Fields = map[string]any{"username": username, "displayUsername": username}
	}
	_, err = s.auth.API.UpdateUser.Call(r.Context(), in, auth.WithRequest(r), auth.ForwardHeaders(w))
	if err != nil {
		return "", "", err
	}
	return "/account", "Your profile is saved.", nil
}

func (s *site) sendVerification(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	data, err := s.auth.Session(r)
	if err != nil {
		return "", "", err
	}
	if data == nil {
		return "", "", auth.ErrUnauthorized
	}
	_, err = s.auth.API.SendVerificationEmail.Call(r.Context(), auth.SendVerificationEmailRequest{
		Email:       data.User.Email,
		CallbackURL: "/link/verified",
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", "", err
	}
	return "/account", "We sent a mail to " + data.User.Email + ".", nil
}

// changeEmail says the same when the new address is somebody else's, as the
// endpoint does.
func (s *site) changeEmail(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	_, err = s.auth.API.ChangeEmail.Call(r.Context(), auth.ChangeEmailRequest{
		NewEmail:    r.PostForm.Get("email"),
		CallbackURL: "/link/changed",
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", "", err
	}
	return "/account", "We sent a mail. Follow the link in it to change your address.", nil
}

func (s *site) changePassword(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	_, err = s.auth.API.ChangePassword.Call(r.Context(), auth.ChangePasswordRequest{
		CurrentPassword:     r.PostForm.Get("password"),
		NewPassword:         r.PostForm.Get("new-password"),
		RevokeOtherSessions: r.PostForm.Has("revoke"),
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", "", err
	}
	return "/password", "Your password is changed.", nil
}

// setPassword gives a password to a user who has none. The endpoint is for programs
// only: it has no URL.
func (s *site) setPassword(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	_, err = s.auth.API.SetPassword.Call(r.Context(), auth.SetPasswordRequest{
		NewPassword: r.PostForm.Get("new-password"),
	}, auth.WithRequest(r), auth.ForwardHeaders(w))
	if err != nil {
		return "", "", err
	}
	return "/password", "Your password is set.", nil
}

// deleteAccount asks for the password always, if there is one. The endpoint would
// do without one: the mail proves enough.
func (s *site) deleteAccount(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	methods, err := s.signInMethods(w, r)
	if err != nil {
		return "", "", err
	}
	password := r.PostForm.Get("password")
	if password == "" && methods.HasPassword() {
		return "", "", auth.ErrInvalidPassword.With(http.StatusBadRequest)
	}
	_, err = s.auth.API.DeleteUser.Call(r.Context(), auth.DeleteUserRequest{
		Password:    password,
		CallbackURL: "/link/deleted",
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", "", err
	}
	return "/delete-account", "We sent you a mail. Your account is deleted when you follow the link in it.", nil
}
