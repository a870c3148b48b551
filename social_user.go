package auth

import (
	"context"
	"errors"
	"maps"
)

// socialSignIn is what a flow says of the sign-in that ends it.
type socialSignIn struct {
	callbackURL string // for the verification mail
	redirects   bool   // the browser follows a link
	noSignUp    bool
	override    bool // the provider's profile replaces the user's
}

// A socialOutcome is who was signed in.
type socialOutcome struct {
	data    *SessionData
	account *Account
	created bool        // the user is new
	linked  bool        // the account is new, the user is not
	failure socialError // what is stored stays, but nobody is signed in
	stop    *stop       // the same, where another factor is wanted
}

// signInIdentity signs in the user whom a provider has identified: the one with the
// account, else the one with the address if it may be linked, else a new one
// (contract oauth section 5). User, account and session are stored together or not
// at all; cookies follow.
//
// Nobody is signed in yet if the outcome has a stop.
//
// Errors: socialError, *APIError.
func (c *core) signInIdentity(ctx context.Context, p *oauthProvider, who *identity, in socialSignIn) (*socialOutcome, error) {
	out, err := c.storeIdentity(ctx, p, who, in)
	if err != nil {
		return nil, c.socialFailure(ctx, err)
	}
	if out.linked {
		if updated := c.followProfile(ctx, who, out.data.User.ID); updated != nil {
			out.data.User = updated
		}
	}
	if err := c.keepAccount(ctx, out.account); err != nil {
		return nil, err
	}
	if out.failure != "" {
		return nil, out.failure
	}
	if out.stop != nil {
		return out, out.stop.redirect
	}
	c.setSession(ctx, out.data, c.forgets(ExchangeFrom(ctx)))
	return out, nil
}

// socialFailure leaves to clients what is for them and gives the rest a name.
func (c *core) socialFailure(ctx context.Context, err error) error {
	if _, ok := errors.AsType[socialError](err); ok {
		c.log.WarnContext(ctx, "sign-in at a provider refused", "error", err)
		return err
	}
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrInvalidValue) {
		c.log.WarnContext(ctx, "user of a provider cannot be stored", "error", err)
		return failureCreate
	}
	return err
}

// storeIdentity begins anew if the same user signs up, or goes, at the same moment.
func (c *core) storeIdentity(ctx context.Context, p *oauthProvider, who *identity, in socialSignIn) (*socialOutcome, error) {
	var out *socialOutcome
	err := c.insist(ctx, func(ctx context.Context) (err error) {
		if out, err = c.resolveIdentity(ctx, p, who, in); err != nil || out.failure != "" {
			return err
		}
		out.stop, err = c.stopped(ctx, &SignIn{User: out.data.User, Method: methodSocial, Redirects: in.redirects})
		if out.stop != nil || err != nil {
			return err
		}
		out.data.Session, err = c.createSession(ctx, out.data.User.ID, false, nil)
		switch {
		case errors.Is(err, ErrAborted):
			err = failureSession
		case err == nil:
			c.signedIn(ctx, out.data.User, out.data.Session, Event{Method: methodSocial, Provider: p.ID})
		}
		return err
	})
	return out, err
}

// resolveIdentity finds or makes user and account.
func (c *core) resolveIdentity(ctx context.Context, p *oauthProvider, who *identity, in socialSignIn) (*socialOutcome, error) {
	account, err := c.accountByKey(ctx, p.ID, who.accountID)
	if err != nil {
		return nil, err
	}
	user, err := c.userOfIdentity(ctx, account, who)
	if err != nil {
		return nil, err
	}
	out := &socialOutcome{account: account, created: user == nil}
	switch {
	case user == nil && in.noSignUp:
		return nil, failureSignUp
	case user == nil:
		err = c.createIdentity(ctx, p, who, out)
	default:
		out.data = &SessionData{User: user}
		err = c.useIdentity(ctx, p, who, in, out)
	}
	if err == nil {
		c.requireVerified(ctx, p, in, out)
	}
	return out, err
}

// accountByKey returns the account that a provider's subject has here, nil if there
// is none. Two of them would mean two users: nobody is signed in then.
func (c *core) accountByKey(ctx context.Context, providerID, accountID string) (*Account, error) {
	found, err := c.accounts.find(ctx, Query{
		Where: []Condition{Where("providerId", providerID), Where("accountId", accountID)},
		Limit: 2,
	})
	switch {
	case err == nil && len(found) == 0:
		return nil, nil
	case err == nil && len(found) == 1:
		return found[0], nil
	case err == nil:
		err = errors.New("auth: two accounts of provider " + providerID + " have the same subject")
		c.event(ctx, Event{Name: EventImpossibleState, Provider: providerID, Reason: "two_accounts"})
	}
	c.log.ErrorContext(ctx, "account could not be looked up", "provider", providerID, "error", err)
	return nil, c.toErrorPage(ctx, nil, CallbackInternalError, "").WithCause(err)
}

// userOfIdentity returns the locked user who is to be signed in, nil if it is a new
// one.
func (c *core) userOfIdentity(ctx context.Context, account *Account, who *identity) (*User, error) {
	if account != nil {
		user, err := c.lockUser(ctx, account.UserID)
		if err == nil && user == nil {
			err = failureLink // the user is gone, the account was left behind
			c.event(ctx, Event{Name: EventImpossibleState, UserID: account.UserID, Provider: account.ProviderID, Reason: "account_without_user"})
		}
		return user, err
	}
	found, err := c.userByEmail(ctx, who.user.Email)
	if err != nil || found == nil {
		return nil, err
	}
	user, err := c.lockUser(ctx, found.ID)
	if err == nil && user == nil {
		err = ErrConflict // deleted meanwhile: look again
	}
	return user, err
}

// useIdentity signs in a user who exists.
func (c *core) useIdentity(ctx context.Context, p *oauthProvider, who *identity, in socialSignIn, out *socialOutcome) (err error) {
	user := out.data.User
	if out.account == nil {
		err = c.linkImplicitly(ctx, p, who, out)
	} else {
		err = c.refreshAccount(ctx, p, who, out)
	}
	if err != nil || !in.override {
		return err
	}
	changes, err := c.profileChanges(who)
	if err != nil {
		return err
	}
	changes["name"] = who.user.Name
	changes["email"] = lowerEmail(who.user.Email)
	changes["emailVerified"] = who.user.EmailVerified || user.EmailVerified && changes["email"] == user.Email
	updated, err := c.updateUser(ctx, user.ID, changes)
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrInvalidValue) {
		c.log.WarnContext(ctx, "user cannot be what the provider says", "user", user.ID, "error", err)
		return failureUpdate
	}
	if updated != nil {
		out.data.User = updated
	}
	return err
}

// linkImplicitly gives a user whom the address identifies the account, if provider
// and server have both verified the address.
func (c *core) linkImplicitly(ctx context.Context, p *oauthProvider, who *identity, out *socialOutcome) error {
	user, rules := out.data.User, &c.linking
	if rules.Disabled || rules.DisableImplicit || !user.EmailVerified && !rules.UnverifiedLocals ||
		!who.user.EmailVerified && !c.trustsProvider(ctx, p.ID) {
		return failureNotLinked
	}
	if err := c.validateIdentity(ctx, p, who, user.ID, actionLinkAccount); err != nil {
		return err
	}
	out.account = c.newAccount(p, who, user.ID)
	if err := c.createAccount(ctx, out.account); err != nil {
		return err
	}
	out.linked = true
	c.event(ctx, Event{Name: EventAccountLinked, UserID: user.ID, Provider: p.ID, Method: "sign-in"})
	return c.promote(ctx, who, user)
}

// refreshAccount stores the tokens of this sign-in. What the provider did not send
// stays, and the scopes are those that were granted first.
func (c *core) refreshAccount(ctx context.Context, p *oauthProvider, who *identity, out *socialOutcome) error {
	user := out.data.User
	if err := c.validateIdentity(ctx, p, who, user.ID, actionSignIn); err != nil {
		return err
	}
	if !c.keepTokens {
		if err := c.updateAccount(ctx, out.account, c.tokenChanges(p, who.tokens)); err != nil {
			return err
		}
	}
	return c.promote(ctx, who, user)
}

// promote marks the user's address as verified when the provider has verified it.
// The user stays as it was read: this sign-in is still judged by that.
func (c *core) promote(ctx context.Context, who *identity, user *User) error {
	if !who.user.EmailVerified || user.EmailVerified || lowerEmail(who.user.Email) != user.Email {
		return nil
	}
	n, err := c.users.change(ctx, user.ID, map[string]any{"emailVerified": true})
	if n > 0 {
		c.event(ctx, Event{Name: EventEmailVerified, UserID: user.ID, Method: methodSocial})
	}
	return err
}

// createIdentity makes a new user with the account.
func (c *core) createIdentity(ctx context.Context, p *oauthProvider, who *identity, out *socialOutcome) error {
	fields, err := parseFields(c.userFields, c.allowedFields(who), true)
	if err != nil {
		return err
	}
	user := who.asUser("")
	user.Fields = fields
	err = c.createUser(ctx, user, c.sourceOf(p, who, actionCreateUser))
	if err == nil {
		out.account = c.newAccount(p, who, user.ID)
		err = c.addAccount(ctx, out.account)
	}
	out.data = &SessionData{User: user}
	switch {
	case err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrInvalidValue):
		return err
	case errors.Is(err, ErrAborted):
		return failureCreate
	case apiError(err) != nil:
		return err
	}
	c.log.ErrorContext(ctx, "user of a provider could not be stored", "provider", p.ID, "error", err)
	return failureCreate
}

// requireVerified sends the mails that verify an address and refuses to sign in
// without, where that is wanted.
func (c *core) requireVerified(ctx context.Context, p *oauthProvider, in socialSignIn, out *socialOutcome) {
	user, v := out.data.User, &c.verification
	if user.EmailVerified {
		return
	}
	onSignUp := v.SendOnSignUp || p.RequireEmailVerification && !v.NoSendOnSignUp
	onSignIn := v.SendOnSignIn && p.RequireEmailVerification
	if v.Send != nil && (out.created && onSignUp || !out.created && onSignIn) {
		c.mailVerification(ctx, user, in.callbackURL)
	}
	if p.RequireEmailVerification {
		out.failure = failureNotVerified
	}
}

// asUser is the user that an identity would be.
func (i *identity) asUser(id string) *User {
	return &User{
		ID: id, Name: i.user.Name, Email: lowerEmail(i.user.Email), EmailVerified: i.user.EmailVerified,
		Image: stored(i.user.Image), Fields: maps.Clone(i.user.Fields),
	}
}

func (c *core) validateIdentity(ctx context.Context, p *oauthProvider, who *identity, userID, action string) error {
	return c.validateUser(ctx, who.asUser(userID), c.sourceOf(p, who, action))
}

func (c *core) sourceOf(p *oauthProvider, who *identity, action string) UserSource {
	return UserSource{Method: methodOAuth, Action: action, ProviderID: p.ID, Profile: who.profile}
}

// allowedFields are those of a profile that users may set.
func (c *core) allowedFields(who *identity) map[string]any {
	fields := maps.Clone(who.user.Fields)
	for _, column := range c.userFields {
		if column.ServerOnly {
			delete(fields, column.Name)
		}
	}
	return fields
}

// profileChanges are what a provider says of a user beside the address.
func (c *core) profileChanges(who *identity) (map[string]any, error) {
	changes, err := parseFields(c.userFields, c.allowedFields(who), false)
	if changes == nil {
		changes = make(map[string]any)
	}
	if who.user.Name != "" {
		changes["name"] = who.user.Name
	}
	if who.user.Image != "" {
		changes["image"] = who.user.Image
	}
	return changes, err
}

// followProfile copies the profile of a new account to the user, if that is wanted,
// and returns the user then. A failure does not matter to the link.
func (c *core) followProfile(ctx context.Context, who *identity, userID string) *User {
	if !c.linking.UpdateUserInfo {
		return nil
	}
	changes, err := c.profileChanges(who)
	if err != nil || len(changes) == 0 {
		return nil
	}
	updated, err := c.updateUser(ctx, userID, changes)
	if err != nil {
		c.log.WarnContext(ctx, "profile of a linked account could not be copied", "user", userID, "error", err)
	}
	return updated
}
