package auth

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// SignInEmailRequest is the body of POST /sign-in/email.
type SignInEmailRequest struct {
	Email       string  `json:"email"`
	Password    string  `json:"password"`
	CallbackURL *string `json:"callbackURL,omitempty"` // where the client is to go
	RememberMe  *bool   `json:"rememberMe,omitempty"`  // nil is true; new(false) makes a session for one day
}

// SignInEmailResponse is the answer of POST /sign-in/email. Redirect asks the client to
// go to URL, which is the CallbackURL of the request.
type SignInEmailResponse struct {
	Redirect bool    `json:"redirect"`
	Token    string  `json:"token"`
	URL      *string `json:"url,omitempty"`
	User     *User   `json:"user" check:"nonnull"`
}

// signInEmail checks a password and starts a session. An unknown address and a
// wrong password cost the same and look the same.
func (c *core) signInEmail(ctx context.Context, in SignInEmailRequest) (*SignInEmailResponse, error) {
	if !c.emailPassword.Enabled {
		return nil, ErrEmailPasswordDisabled.With(http.StatusBadRequest)
	}
	if !emailSyntax.MatchString(in.Email) {
		return nil, ErrInvalidEmail.With(http.StatusBadRequest)
	}
	if err := c.checkPasswordNotTooLong(in.Password); err != nil {
		return nil, err
	}
	user, account, err := c.authenticate(ctx, in.Email, in.Password)
	if err != nil {
		return nil, err
	}
	if c.emailPassword.RequireEmailVerification && !user.EmailVerified {
		return nil, c.refuseUnverified(ctx, user, in.CallbackURL)
	}
	session, err := c.signIn(ctx, &SignIn{
		User: user, Method: methodEmail, Password: account, DontRemember: dontRemember(in.RememberMe),
	})
	switch {
	case errors.Is(err, ErrInvalidPassword):
		return nil, c.signInFailed(ctx, in.Email)
	case err != nil:
		return nil, aborted(err, ErrFailedToCreateSession, http.StatusUnauthorized)
	}
	redirect := in.CallbackURL != nil && *in.CallbackURL != ""
	if redirect {
		ExchangeFrom(ctx).SetLocation(*in.CallbackURL)
	}
	if session == nil { // another factor first
		return nil, nil
	}
	return &SignInEmailResponse{Redirect: redirect, Token: session.Token, URL: in.CallbackURL, User: c.visibleUser(user)}, nil
}

// authenticate returns the user with an address and a password, and the account
// as it was when the password was checked.
func (c *core) authenticate(ctx context.Context, email, password string) (*User, *Account, error) {
	user, err := c.userByEmail(ctx, email)
	if err != nil {
		return nil, nil, err
	}
	id := ""
	if user != nil {
		id = user.ID
	}
	account, err := c.credentialAccount(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if !account.hasPassword() {
		if err := c.passwords.burn(ctx, password); err != nil {
			return nil, nil, err
		}
		return nil, nil, c.signInFailed(ctx, email)
	}
	ok, err := c.verifyAccount(ctx, account, password)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, nil, c.signInFailed(ctx, email)
	}
	return user, account, nil
}

func (c *core) signInFailed(ctx context.Context, email string) error {
	c.event(ctx, Event{Name: EventSignInFailed, Method: methodEmail, Reason: "credentials", Identifier: email})
	return ErrInvalidEmailOrPassword.With(http.StatusUnauthorized)
}

// refuseUnverified sends the verification mail again if that is wanted. It runs
// after the password was found to be right.
func (c *core) refuseUnverified(ctx context.Context, user *User, callbackURL *string) error {
	if c.verification.Send != nil && c.verification.SendOnSignIn {
		target := ""
		if callbackURL != nil {
			target = *callbackURL
		}
		c.mailVerification(ctx, user, target)
	}
	c.event(ctx, Event{Name: EventSignInFailed, UserID: user.ID, Reason: "unverified"})
	return ErrEmailNotVerified.With(http.StatusForbidden)
}

// SignOutRequest is the optional body of POST /sign-out. Its members concern
// providers that have to be told of a sign-out.
type SignOutRequest struct {
	CallbackURL     string `json:"callbackURL,omitempty"`
	DisableRedirect bool   `json:"disableRedirect,omitempty"`
	State           string `json:"state,omitempty"`
}

// SignOutResponse is the answer of POST /sign-out. URL ends the session at the provider
// too, with Redirect if the client should go there.
type SignOutResponse struct {
	Success  bool   `json:"success"`
	URL      string `json:"url,omitempty"`
	Redirect *bool  `json:"redirect,omitempty"`
}

// signOut deletes the session of the caller, if any, and its cookies. It always
// succeeds for the caller; a store that fails is logged.
func (c *core) signOut(ctx context.Context, in SignOutRequest) (*SignOutResponse, error) {
	x := ExchangeFrom(ctx)
	out := &SignOutResponse{Success: true}
	if token := c.cookiesOf(x).token(x.headers); token != "" {
		out.URL = c.endSession(ctx, token, in)
	}
	c.cookiesOf(x).clear(x)
	if out.URL != "" {
		redirect := !in.DisableRedirect
		if out.Redirect = &redirect; redirect {
			x.Header().Set("Location", out.URL)
		}
	}
	return out, nil
}

// endSession deletes a session and returns the URL that signs its user out at a
// provider too, empty if there is none.
func (c *core) endSession(ctx context.Context, token string, in SignOutRequest) (url string) {
	data, err := c.sessions.byToken(ctx, token)
	if err != nil {
		c.log.ErrorContext(ctx, "sign-out could not read the session", "error", err)
	}
	switch err := c.deleteSession(ctx, token); {
	case err != nil:
		c.log.ErrorContext(ctx, "sign-out could not delete the session", "error", err)
	case data != nil:
		c.event(ctx, Event{Name: EventSignOut, UserID: data.Session.UserID, SessionID: data.Session.ID})
	}
	if data == nil || data.User == nil || !slices.ContainsFunc(c.providers, (*oauthProvider).mayLogOut) {
		return ""
	}
	return c.logoutURL(ctx, data.User.ID, in)
}
