package auth

import (
	"context"
	"net/http"
)

// A SignIn is somebody who has proven to be a user and is about to get a session.
type SignIn struct {
	User *User

	// Method says how they have proven it: "email" and "username" with a password,
	// "social", "verify-email", and what plugins name theirs.
	Method string

	// Password is the account whose password was checked, nil if none was. The
	// sign-in fails if that password was changed meanwhile.
	Password *Account

	// DontRemember ends the session with the browser, or after a day.
	DontRemember bool

	// Unsent keeps the session from being sent to the browser. It is set in a
	// transaction, after which the endpoint calls Services.SetSession.
	Unsent bool

	// Redirects is set where the browser follows a link: a Challenge cannot answer
	// there, but may redirect (Exchange.Redirect).
	Redirects bool
}

// challenged asks the plugins whether a sign-in may go on. If one has given the
// answer of the run, it may not. Nothing of a session exists yet.
func (s *services) challenged(ctx context.Context, in *SignIn) (bool, error) {
	for _, challenge := range s.challenges {
		answer, err := challenge(ctx, in)
		if err != nil {
			return false, err
		}
		if answer != nil {
			s.event(ctx, Event{Name: EventSecondFactorChallenged, UserID: in.User.ID, Method: in.Method})
			ExchangeFrom(ctx).Answer(answer)
			return true, nil
		}
	}
	return false, nil
}

// A stop is why a sign-in does not go on although nothing is wrong: the run has its
// answer, or the browser is to go elsewhere. What was stored before stays.
type stop struct{ redirect error }

// stopped is challenged for a sign-in that is part of a transaction: a redirect is
// no error that would undo it. It returns nil if the sign-in goes on.
func (s *services) stopped(ctx context.Context, in *SignIn) (*stop, error) {
	answered, err := s.challenged(ctx, in)
	api := apiError(err)
	switch {
	case api != nil && api.Status == http.StatusFound:
		return &stop{redirect: err}, nil
	case err != nil || !answered:
		return nil, err
	}
	return &stop{}, nil
}

// signIn starts a session and sends it to the browser, unless that waits. It returns
// nil, nil if a plugin has given another answer.
//
// Errors: ErrInvalidPassword if the password was changed meanwhile, ErrAborted.
func (s *services) signIn(ctx context.Context, in *SignIn) (session *Session, err error) {
	if stopped, err := s.challenged(ctx, in); stopped || err != nil {
		return nil, err
	}
	if in.Password != nil {
		session, err = s.sessionForPassword(ctx, in.Password, in.DontRemember)
	} else {
		session, err = s.createSession(ctx, in.User.ID, in.DontRemember, nil)
	}
	if err != nil {
		return nil, err
	}
	s.signedIn(ctx, in.User, session, Event{Method: in.Method})
	if !in.Unsent {
		s.setSession(ctx, &SessionData{Session: session, User: in.User}, in.DontRemember)
	}
	return session, nil
}

// signedIn records that a session began for somebody who has proven who they are, as
// the event says.
func (s *services) signedIn(ctx context.Context, user *User, session *Session, e Event) {
	e.Name, e.UserID, e.SessionID, e.Identifier = EventSignIn, user.ID, session.ID, user.Email
	s.event(ctx, e)
}

// sessionForPassword starts a session if the password that was checked is still
// the user's: whoever resets a password and revokes all sessions must not find
// another one afterwards. Errors: ErrInvalidPassword if it is not.
func (s *services) sessionForPassword(ctx context.Context, checked *Account, dontRemember bool) (session *Session, err error) {
	err = s.transact(ctx, func(ctx context.Context) error {
		if _, err := s.lockUser(ctx, checked.UserID); err != nil {
			return err
		}
		account, err := s.credentialAccount(ctx, checked.UserID)
		if err != nil {
			return err
		}
		if !account.hasPassword() || *account.Password != *checked.Password {
			return ErrInvalidPassword.With(http.StatusUnauthorized)
		}
		session, err = s.createSession(ctx, checked.UserID, dontRemember, nil)
		return err
	})
	return session, err
}
