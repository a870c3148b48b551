package auth

// An EventName says what has happened: the message of the record in the log and the
// label to count by. Names do not change; new ones may come. docs/events.md has what
// each event carries and what OWASP's logging vocabulary calls it.
type EventName string

// Events of sign-up and sign-in.
const (
	EventSignUp           EventName = "sign_up"             // a user was created, whoever did it
	EventSignInRequested  EventName = "sign_in_requested"   // somebody asked for a link or code to sign in with
	EventSignIn           EventName = "sign_in"             // a session began
	EventSignInFailed     EventName = "sign_in_failed"      // a password, link, code or token was not good for a sign-in
	EventSignOut          EventName = "sign_out"            // a user ended their session
	EventOneTimeTokenUsed EventName = "one_time_token_used" // a session went to another place
)

// Events of sessions. That one expires is no event.
const (
	EventSessionRevoked  EventName = "session_revoked"  // one session was ended from another one
	EventSessionsRevoked EventName = "sessions_revoked" // all sessions of a user were, or all others
	EventSessionSwitched EventName = "session_switched" // another session of the browser is the active one
)

// Events of passwords.
const (
	EventPasswordSet            EventName = "password_set"             // the first one of a user
	EventPasswordChanged        EventName = "password_changed"         // by a user who knew the old one
	EventPasswordResetRequested EventName = "password_reset_requested" // whether there is such a user or not
	EventPasswordReset          EventName = "password_reset"           // by whoever reads the user's mails
	EventPasswordRefused        EventName = "password_refused"         // somebody with a session does not know the password
)

// Events of users and their addresses.
const (
	EventEmailVerificationSent EventName = "email_verification_sent"
	EventEmailVerified         EventName = "email_verified"
	EventEmailChangeRequested  EventName = "email_change_requested"
	EventEmailChanged          EventName = "email_changed"
	EventUserUpdated           EventName = "user_updated"
	EventUserDeletionRequested EventName = "user_deletion_requested" // the mail that asks was sent
	EventUserDeleted           EventName = "user_deleted"
	EventTokenRefused          EventName = "token_refused" // a mailed link or code was not good
)

// Events of accounts at providers.
const (
	EventAccountLinked          EventName = "account_linked"
	EventAccountUnlinked        EventName = "account_unlinked"
	EventProviderCallbackFailed EventName = "provider_callback_failed" // nobody was signed in, nothing linked
	EventProviderTokensFailed   EventName = "provider_tokens_failed"   // tokens could not be refreshed
)

// Events of second factors.
const (
	EventSecondFactorEnabled    EventName = "second_factor_enabled"
	EventSecondFactorDisabled   EventName = "second_factor_disabled"
	EventSecondFactorChallenged EventName = "second_factor_challenged" // the first factor was good
	EventSecondFactorPassed     EventName = "second_factor_passed"
	EventSecondFactorFailed     EventName = "second_factor_failed"
	EventSecondFactorLocked     EventName = "second_factor_locked" // too many failures: a user or a challenge is locked
	EventBackupCodeUsed         EventName = "backup_code_used"
	EventBackupCodesGenerated   EventName = "backup_codes_generated"
	EventDeviceTrusted          EventName = "device_trusted"
)

// Events of the server.
const (
	EventRateLimited      EventName = "rate_limited"
	EventOriginRefused    EventName = "origin_refused"    // a page of another origin sent a request
	EventRedirectRefused  EventName = "redirect_refused"  // a URL to redirect to is not trusted
	EventPasswordOverload EventName = "password_overload" // too many passwords wait to be hashed
	EventKeyRotated       EventName = "key_rotated"       // a new key signs tokens
	EventImpossibleState  EventName = "impossible_state"  // rows contradict each other
)

// suspicious reports whether the event is one that somebody should look at when it
// becomes frequent: a refusal, a failure, or what cannot be.
func (n EventName) suspicious() bool {
	switch n {
	case EventSignInFailed, EventPasswordRefused, EventTokenRefused, EventProviderCallbackFailed, EventProviderTokensFailed,
		EventSecondFactorFailed, EventSecondFactorLocked, EventRateLimited, EventOriginRefused, EventRedirectRefused,
		EventPasswordOverload, EventImpossibleState:
		return true
	}
	return false
}
