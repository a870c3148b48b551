package auth

import "context"

// ValidEmail reports whether an address has the syntax that the original accepts.
func ValidEmail(email string) bool { return emailSyntax.MatchString(email) }

// User returns a user who meets the conditions, nil if there is none.
func (s *Services) User(ctx context.Context, where ...Condition) (*User, error) {
	return s.local().users.first(ctx, where...)
}

// UserByEmail returns the user with an address, nil if there is none. The case of
// letters does not count.
func (s *Services) UserByEmail(ctx context.Context, email string) (*User, error) {
	return s.local().userByEmail(ctx, email)
}

// NormalEmail is an address as it is stored and compared: in lower case.
func (s *Services) NormalEmail(email string) string { return lowerEmail(email) }

// LockUser returns a user, nil if there is none, and keeps others from working on
// the user's sessions and accounts before the transaction of ctx ends. It comes
// before all other writes that concern the user.
func (s *Services) LockUser(ctx context.Context, id string) (*User, error) {
	return s.local().lockUser(ctx, id)
}

// CreateUser stores a user, with an id and dates. Email is stored in lower case.
// Errors: ErrConflict if a unique value is taken, ErrInvalidValue, ErrAborted,
// *APIError of UserOptions.ValidateInfo.
func (s *Services) CreateUser(ctx context.Context, user *User, source UserSource) error {
	user.Email = lowerEmail(user.Email)
	return s.local().createUser(ctx, user, source)
}

// UpdateUser changes columns of a user and returns the user as it is then, nil if
// there is none. Errors: ErrConflict, ErrInvalidValue.
func (s *Services) UpdateUser(ctx context.Context, id string, changes map[string]any) (*User, error) {
	return s.local().updateUser(ctx, id, changes)
}

// ParseUserFields takes the values of additional user columns from what a client
// sent, by their rules (Column). Creating fills in defaults and demands what is
// required. Errors: *APIError.
func (s *Services) ParseUserFields(sent map[string]any, creating bool) (map[string]any, error) {
	return parseFields(s.local().userFields, sent, creating)
}

// VisibleUser returns a user as clients may see it.
func (s *Services) VisibleUser(user *User) *User { return s.local().visibleUser(user) }

// ProveMailbox marks a user's address as verified. If it was not before, whoever
// made the user has proven nothing: passwords, accounts, sessions and what plugins
// have set up go (GHSA-qq9h-g4jm-xgf3, Extension.Unproven). It returns the user as it is then, nil if there is none.
func (s *Services) ProveMailbox(ctx context.Context, user *User) (proven *User, err error) {
	if user.EmailVerified {
		return user, nil
	}
	err = s.local().transact(ctx, func(ctx context.Context) error {
		proven, err = s.local().lockUser(ctx, user.ID)
		if err != nil || proven == nil || proven.EmailVerified {
			return err
		}
		if _, err := s.local().accounts.remove(ctx, Where("userId", user.ID)); err != nil {
			return err
		}
		if err := s.local().deleteSessionsOf(ctx, user.ID); err != nil {
			return err
		}
		for _, unproven := range s.local().unproven {
			if err := unproven(ctx, proven); err != nil {
				return err
			}
		}
		proven, err = s.local().updateUser(ctx, user.ID, map[string]any{"emailVerified": true})
		if err == nil {
			s.local().event(ctx, Event{Name: EventEmailVerified, UserID: user.ID, Method: "mailbox"})
		}
		return err
	})
	return proven, err
}

// Accounts returns the accounts of a user.
func (s *Services) Accounts(ctx context.Context, userID string) ([]*Account, error) {
	return s.local().accountsOf(ctx, userID)
}

// PasswordAccount returns the account that holds a user's password, nil if the user
// has no password. An empty id is nobody's: the store is asked all the same, so that
// the time does not tell who exists.
func (s *Services) PasswordAccount(ctx context.Context, userID string) (*Account, error) {
	account, err := s.local().credentialAccount(ctx, userID)
	if err != nil || !account.hasPassword() {
		return nil, err
	}
	return account, nil
}

// VerifyPassword reports whether a password is that of an account. Without an
// account it takes as long and says no. Errors: *APIError if the password is too
// long or too many are being checked.
func (s *Services) VerifyPassword(ctx context.Context, account *Account, password string) (bool, error) {
	if err := s.local().checkPasswordNotTooLong(password); err != nil {
		return false, err
	}
	if !account.hasPassword() {
		return false, s.local().passwords.burn(ctx, password)
	}
	return s.local().verifyAccount(ctx, account, password)
}

// CheckPasswordLength is for endpoints that have something else to check before they
// hash a password. Errors: ErrPasswordTooShort, ErrPasswordTooLong.
func (s *Services) CheckPasswordLength(password string) error {
	return s.local().checkPasswordLength(password)
}

// HashPassword returns what SetPassword stores. Errors: *APIError if the length is
// not allowed or too many are being hashed, those of EmailPassword.ValidatePassword.
func (s *Services) HashPassword(ctx context.Context, password string) (string, error) {
	if err := s.local().checkNewPassword(ctx, password); err != nil {
		return "", err
	}
	return s.local().passwords.hash(ctx, password)
}

// SetPassword replaces a user's password, or gives a first one, by its hash.
func (s *Services) SetPassword(ctx context.Context, userID, hash string) error {
	return s.local().setCredential(ctx, userID, hash)
}

// SendVerificationEmail sends the mail with the link that verifies an address, in
// the background, if EmailVerification.Send is there. The link leads on to
// callbackURL.
func (s *Services) SendVerificationEmail(ctx context.Context, user *User, callbackURL string) {
	if s.local().verification.Send != nil {
		s.local().mailVerification(ctx, user, callbackURL)
	}
}

// RefuseUnverified is what a sign-in with a right password answers a user whose
// address has to be verified first, after sending the mail again if that is wanted;
// nil for all others.
func (s *Services) RefuseUnverified(ctx context.Context, user *User, callbackURL *string) error {
	if !s.local().emailPassword.RequireEmailVerification || user.EmailVerified {
		return nil
	}
	return s.local().refuseUnverified(ctx, user, callbackURL)
}
