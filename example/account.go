package main

import (
	"net/http"

	"github.com/seed3b05b409/auth"
)

// The pages for people who are signed in. The forms need no guard of their own:
// an endpoint that needs a session refuses a call without one.

func (s *site) accountPage(w http.ResponseWriter, r *http.Request, data *auth.SessionData) {
	s.render(w, r, http.StatusOK, "account", view{User: data.User})
}

func (s *site) passwordPage(w http.ResponseWriter, r *http.Request, data *auth.SessionData) {
	s.render(w, r, http.StatusOK, "password", view{User: data.User})
}

func (s *site) deleteAccountPage(w http.ResponseWriter, r *http.Request, data *auth.SessionData) {
	s.render(w, r, http.StatusOK, "delete-account", view{User: data.User})
}

func (s *site) updateProfile(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	in := auth.UpdateUserRequest{Name: new(r.PostForm.Get("name")), Image: auth.Null[string]()}
	if url := r.PostForm.Get("image"); url != "" {
		in.Image = auth.Some(url)
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

// deleteAccount asks for the password always. The endpoint would do without one
// shortly after sign-in.
func (s *site) deleteAccount(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	password := r.PostForm.Get("password")
	if password == "" {
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
