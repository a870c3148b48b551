package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// emailClaims are what the signed token in a verification link says. It is not
// stored anywhere.
type emailClaims struct {
	Email       string `json:"email"`
	UpdateTo    string `json:"updateTo,omitempty"`
	RequestType string `json:"requestType,omitempty"`
	UserID      string `json:"userId,omitempty"`
	IssuedAt    int64  `json:"iat"`
	ExpiresAt   int64  `json:"exp"`
}

// The steps of an e-mail change, as request types of its tokens.
const (
	changeConfirmation = "change-email-confirmation" // sent to the old address
	changeVerification = "change-email-verification" // sent to the new address
)

func (c *core) emailToken(claims emailClaims, lifetime time.Duration) string {
	claims.Email, claims.UpdateTo = lowerEmail(claims.Email), lowerEmail(claims.UpdateTo)
	claims.IssuedAt = time.Now().Unix()
	claims.ExpiresAt = claims.IssuedAt + int64(lifetime/time.Second)
	token, _ := c.signer.signJWT(claims) // strings and integers always marshal
	return token
}

// emailLink is the address that a verification mail leads to.
func (c *core) emailLink(ctx context.Context, token, callbackURL string) string {
	return c.siteOf(ctx).url + "/verify-email?token=" + token + "&callbackURL=" + encodeURIComponent(orRoot(callbackURL))
}

// verificationMail is the mail that verifies the address that user has.
func (c *core) verificationMail(ctx context.Context, user *User, callbackURL string, lifetime time.Duration) Mail {
	token := c.emailToken(emailClaims{Email: user.Email, UserID: user.ID}, lifetime)
	return Mail{User: user.clone(), Token: token, URL: c.emailLink(ctx, token, callbackURL)}
}

// mailVerification sends that mail in the background.
func (c *core) mailVerification(ctx context.Context, user *User, callbackURL string) {
	c.event(ctx, Event{Name: EventEmailVerificationSent, UserID: user.ID})
	mail := c.verificationMail(ctx, user, callbackURL, c.verification.ExpiresIn)
	c.inBackground(ctx, "SendVerificationEmail", func(ctx context.Context) error { return c.verification.Send(ctx, mail) })
}

// SendVerificationEmailRequest is the body of POST /send-verification-email.
type SendVerificationEmailRequest struct {
	Email       string `json:"email" check:"email"`
	CallbackURL string `json:"callbackURL,omitempty"`
}

// verificationFloor is how long an anonymous request takes at least, so that it
// does not tell whether a mail was sent.
const verificationFloor = 500 * time.Millisecond

// sendVerificationEmail mails the link that verifies an address. Without a
// session the answer is the same for every address.
func (c *core) sendVerificationEmail(ctx context.Context, in SendVerificationEmailRequest) (*Status, error) {
	if c.verification.Send == nil {
		return nil, ErrVerificationEmailNotEnabled.With(http.StatusBadRequest)
	}
	data, err := c.readSession(ctx, readOptions{})
	switch {
	case err != nil:
		return nil, err
	case data == nil:
		err = c.sendToStranger(ctx, in)
	case lowerEmail(data.User.Email) != lowerEmail(in.Email):
		err = ErrEmailMismatch.With(http.StatusBadRequest)
	case data.User.EmailVerified:
		err = ErrEmailAlreadyVerified.With(http.StatusBadRequest)
	default:
		err = c.sendVerification(ctx, data.User, in.CallbackURL)
	}
	if err != nil {
		return nil, err
	}
	return &Status{Status: true}, nil
}

func (c *core) sendToStranger(ctx context.Context, in SendVerificationEmailRequest) error {
	floor := time.NewTimer(verificationFloor)
	defer floor.Stop()
	err := c.sendIfUnverified(ctx, in)
	select {
	case <-floor.C:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *core) sendIfUnverified(ctx context.Context, in SendVerificationEmailRequest) error {
	user, err := c.userByEmail(ctx, in.Email)
	if err != nil {
		return err
	}
	if user == nil || user.EmailVerified {
		c.emailToken(emailClaims{Email: in.Email}, c.verification.ExpiresIn)
		return nil
	}
	return c.sendVerification(ctx, user, in.CallbackURL)
}

// sendVerification sends the mail at once.
func (c *core) sendVerification(ctx context.Context, user *User, callbackURL string) error {
	err := c.verification.Send(ctx, c.verificationMail(ctx, user, callbackURL, c.verification.ExpiresIn))
	if err == nil {
		c.event(ctx, Event{Name: EventEmailVerificationSent, UserID: user.ID})
	}
	return err
}

// VerifyEmailRequest is what the link in a verification mail carries: GET
// /verify-email.
type VerifyEmailRequest struct {
	Token       string `query:"token"`
	CallbackURL string `query:"callbackURL,omitempty"`
}

// VerifyEmailResponse is the answer of GET /verify-email when there is no CallbackURL
// to redirect to. User is nil but at the end of an e-mail change.
type VerifyEmailResponse struct {
	Status bool         `json:"status"`
	User   *User        `json:"-"`
	shape  verifiedUser // whether the body has a user key, and which
}

type verifiedUser int

const (
	userNull verifiedUser = iota
	userAbsent
	userPresent
)

// MarshalJSON writes {"status":true,"user":…}; the first step of an e-mail
// change has no user.
func (r *VerifyEmailResponse) MarshalJSON() ([]byte, error) {
	if r.shape == userAbsent {
		return appendMarshal(nil, Status{r.Status})
	}
	return appendMarshal(nil, struct {
		Status bool  `json:"status"`
		User   *User `json:"user"`
	}{r.Status, r.User})
}

// UnmarshalJSON reads what MarshalJSON or the original wrote.
func (r *VerifyEmailResponse) UnmarshalJSON(data []byte) error {
	var members struct {
		Status bool            `json:"status"`
		User   json.RawMessage `json:"user"`
	}
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	*r = VerifyEmailResponse{Status: members.Status, shape: userAbsent}
	if members.User == nil {
		return nil
	}
	if err := json.Unmarshal(members.User, &r.User); err != nil {
		return err
	}
	if r.shape = userPresent; r.User == nil {
		r.shape = userNull
	}
	return nil
}

// verifyEmail takes the token of a mailed link and marks the address as
// verified, or carries on with a change of address.
func (c *core) verifyEmail(ctx context.Context, in VerifyEmailRequest) (*VerifyEmailResponse, error) {
	out, err := c.useEmailToken(ctx, in)
	if code, ok := err.(Code); ok {
		c.event(ctx, Event{Name: EventTokenRefused, Method: methodVerifyEmail, Reason: reasonOf(code)})
		return nil, c.linkFailed(ctx, in.CallbackURL, code)
	}
	if err != nil {
		return nil, err
	}
	if in.CallbackURL != "" {
		return nil, ExchangeFrom(ctx).Redirect(in.CallbackURL)
	}
	return out, nil
}

// linkFailed tells the page that the link leads to what was wrong with it.
func (c *core) linkFailed(ctx context.Context, callbackURL string, code Code) error {
	if callbackURL == "" {
		return code.With(http.StatusUnauthorized)
	}
	return ExchangeFrom(ctx).Redirect(appendQuery(callbackURL, "error", string(code)))
}

// useEmailToken returns a bare Code for what is the fault of the link.
func (c *core) useEmailToken(ctx context.Context, in VerifyEmailRequest) (*VerifyEmailResponse, error) {
	var claims emailClaims
	switch err := c.signer.verifyJWT(in.Token, &claims); {
	case errors.Is(err, errJWTExpired):
		return nil, ErrTokenExpired
	case err != nil, !emailSyntax.MatchString(claims.Email):
		return nil, ErrInvalidToken
	case claims.UpdateTo != "":
		return c.continueChange(ctx, claims, in.CallbackURL)
	}
	return c.markVerified(ctx, claims, in.CallbackURL != "")
}

// markVerified ends a plain verification.
func (c *core) markVerified(ctx context.Context, claims emailClaims, redirects bool) (*VerifyEmailResponse, error) {
	user, err := c.userByEmail(ctx, claims.Email)
	switch {
	case err != nil:
		return nil, err
	case user == nil:
		return nil, ErrUserNotFound
	case claims.UserID != "" && claims.UserID != user.ID:
		return nil, ErrInvalidToken
	case user.EmailVerified:
		return &VerifyEmailResponse{Status: true}, nil
	}
	if err := callback(ctx, c.verification.BeforeVerification, user); err != nil {
		return nil, err
	}
	stop, err := c.verifyAndSignIn(ctx, user, redirects)
	switch {
	case err != nil:
		return nil, err
	case stop != nil:
		return nil, stop.redirect
	}
	return &VerifyEmailResponse{Status: true}, nil
}

// verifyAndSignIn marks the address as verified and, if that is wanted, signs in
// who proved to own it, unless they are: both or neither, since the link does
// not sign in twice. Where another factor is wanted it returns a stop.
func (c *core) verifyAndSignIn(ctx context.Context, user *User, redirects bool) (end *stop, err error) {
	data, err := c.sessionToVerify(ctx, user)
	if err != nil {
		return nil, err
	}
	var updated *User
	signIn := c.verification.AutoSignIn && data == nil
	err = c.transact(ctx, func(ctx context.Context) (err error) {
		if updated, err = c.setVerified(ctx, user); err != nil || updated == nil || !signIn {
			return err
		}
		end, err = c.stopped(ctx, &SignIn{User: updated, Method: methodVerifyEmail, Redirects: redirects})
		if end != nil || err != nil {
			return err
		}
		session, err := c.createSession(ctx, user.ID, false, nil)
		data = &SessionData{Session: session}
		if err == nil {
			c.signedIn(ctx, updated, session, Event{Method: methodVerifyEmail})
		}
		return aborted(err, ErrFailedToCreateSession, http.StatusInternalServerError)
	})
	if err != nil || updated == nil {
		return nil, err
	}
	if err := callback(ctx, c.verification.AfterVerification, updated); err != nil {
		if signIn && data != nil {
			c.forgetSession(ctx, data.Session)
		}
		return nil, err
	}
	if data != nil {
		data = &SessionData{Session: data.Session, User: updated}
		c.setSession(ctx, data, c.forgets(ExchangeFrom(ctx)))
	}
	return end, nil
}

// forgetSession deletes a session whose token nobody has got.
func (c *core) forgetSession(ctx context.Context, session *Session) {
	if err := c.deleteSession(ctx, session.Token); err != nil {
		c.log.ErrorContext(ctx, "a session could not be deleted", "error", err)
	}
}

// sessionToVerify returns the caller's session if it is the user's and its
// cookies are to follow the change.
func (c *core) sessionToVerify(ctx context.Context, user *User) (*SessionData, error) {
	if !c.verification.AutoSignIn {
		return nil, nil
	}
	data, err := c.readSession(ctx, readOptions{})
	if err != nil || data == nil || data.User.ID != user.ID {
		return nil, err
	}
	return data, nil
}

// setVerified returns the user as it is then, nil if another request has verified the
// address since it was looked at.
func (c *core) setVerified(ctx context.Context, user *User) (*User, error) {
	n, err := c.users.change(ctx, user.ID, map[string]any{"emailVerified": true},
		Where("email", user.Email), Where("emailVerified", false))
	if err != nil {
		return nil, err
	}
	updated, err := c.users.first(ctx, Where("id", user.ID))
	switch {
	case err != nil:
		return nil, err
	case n == 0 && updated != nil && updated.Email == user.Email && updated.EmailVerified:
		return nil, nil
	case n == 0: // the address was changed or the user deleted meanwhile
		return nil, ErrInvalidToken
	case updated == nil:
		return nil, ErrUserNotFound
	}
	c.event(ctx, Event{Name: EventEmailVerified, UserID: user.ID, Method: methodLink})
	return updated, nil
}
