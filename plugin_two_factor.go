package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Error codes of TwoFactor.
const (
	ErrOTPNotConfigured                     Code = "OTP_NOT_CONFIGURED"
	ErrOTPHasExpired                        Code = "OTP_HAS_EXPIRED"
	ErrTOTPNotEnabled                       Code = "TOTP_NOT_ENABLED"
	ErrTOTPAlreadyEnabled                   Code = "TOTP_ALREADY_ENABLED"
	ErrTOTPNotConfigured                    Code = "TOTP_NOT_CONFIGURED"
	ErrTwoFactorNotEnabled                  Code = "TWO_FACTOR_NOT_ENABLED"
	ErrBackupCodesNotEnabled                Code = "BACKUP_CODES_NOT_ENABLED"
	ErrInvalidBackupCode                    Code = "INVALID_BACKUP_CODE"
	ErrInvalidCode                          Code = "INVALID_CODE"
	ErrTooManyAttemptsRequestNewCode        Code = "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE"
	ErrAccountTemporarilyLocked             Code = "ACCOUNT_TEMPORARILY_LOCKED"
	ErrInvalidTwoFactorCookie               Code = "INVALID_TWO_FACTOR_COOKIE"
	ErrFailedToInvalidateTwoFactorChallenge Code = "FAILED_TO_INVALIDATE_TWO_FACTOR_CHALLENGE"
)

// TwoFactor asks users who have turned it on for a second factor when they sign in
// with a password: a code of an authenticator app (TOTP, RFC 6238), a code that is
// sent to them (OTP), or a backup code. Until they have given it there is nothing of
// a session: no row, no cookie, no cached copy (GHSA-xg6x-h9c9-2m83).
//
// A sign-in then answers with a *TwoFactorChallenge and the cookie two_factor, and
// a typed Call of it returns the challenge as its error:
//
//	_, err := a.API.SignInEmail.Call(ctx, in, …)
//	if challenge, ok := errors.AsType[*auth.TwoFactorChallenge](err); ok { … }
//
// VerifyTOTP, VerifyOTP or VerifyBackupCode with that cookie ends it. With a session
// they confirm a factor that is being set up.
//
// The zero value offers authenticator apps and backup codes. Contract plugins-1
// section 5.
type TwoFactor struct {
	// Issuer names the service in authenticator apps. Default: Config.AppName.
	Issuer string

	// SkipVerificationOnEnable turns it on without a first code of the app: who has
	// lost the secret by then cannot sign in any more.
	SkipVerificationOnEnable bool

	// AllowPasswordless lets users who have no password set it up without one. Users
	// who have one need it all the same.
	AllowPasswordless bool

	// CookieMaxAge is how long a user may take to give the second factor. Default:
	// ten minutes.
	CookieMaxAge time.Duration

	// TrustDeviceMaxAge is how long a device that the user trusts needs no second
	// factor, counted from the last sign-in there. Default: 30 days.
	TrustDeviceMaxAge time.Duration

	TOTP        TOTPOptions
	OTP         TwoFactorOTPOptions
	BackupCodes BackupCodeOptions
	Lockout     TwoFactorLockout

	// PreventReplay accepts each code of an app once, and none of a time before it
	// (RFC 6238 section 5.2), at the price of a column of the table twoFactor,
	// lastTotpStep. The original accepts a code as often as it comes.
	PreventReplay bool

	// Everywhere asks for the second factor whatever the first one was: providers,
	// links in mails, codes and whatever plugins add. The original asks after
	// passwords alone. Where OTP.Send writes to the mailbox to which links go too, both
	// prove the same.
	Everywhere bool

	// Page is where a browser goes that has followed a link to sign in and is to give
	// the second factor: a path of this server or a URL. It gets the names of the
	// methods in the query, "methods=totp,otp". Everywhere needs it, whatever else is
	// configured: hardly an instance has no sign-in by a link.
	Page string

	// The endpoints (POST), there when New has returned.
	Enable              *Endpoint[EnableTwoFactorRequest, *EnableTwoFactorResponse]  // /two-factor/enable
	Disable             *Endpoint[TwoFactorPasswordRequest, *Status]                 // /two-factor/disable
	GetTOTPURI          *Endpoint[TwoFactorPasswordRequest, *TOTPURIResponse]        // /two-factor/get-totp-uri
	VerifyTOTP          *Endpoint[VerifyTwoFactorRequest, *VerifyTwoFactorResponse]  // /two-factor/verify-totp
	SendOTP             *Endpoint[SendTwoFactorOTPRequest, *Status]                  // /two-factor/send-otp
	VerifyOTP           *Endpoint[VerifyTwoFactorRequest, *VerifyTwoFactorResponse]  // /two-factor/verify-otp
	VerifyBackupCode    *Endpoint[VerifyBackupCodeRequest, *VerifyTwoFactorResponse] // /two-factor/verify-backup-code
	GenerateBackupCodes *Endpoint[TwoFactorPasswordRequest, *BackupCodesResponse]    // /two-factor/generate-backup-codes
	GenerateTOTP        *Endpoint[GenerateTOTPRequest, *GenerateTOTPResponse]        // for Go code alone
	ViewBackupCodes     *Endpoint[ViewBackupCodesRequest, *BackupCodesResponse]      // for Go code alone

	services *Services
	rows     *Records[twoFactorRow]
	codes    otpCodes
}

// PasswordRule says whether an endpoint asks a user who has no password for it.
type PasswordRule int

const (
	PasswordAsConfigured PasswordRule = iota // as TwoFactor.AllowPasswordless says
	PasswordIfAny                            // only users who have one
	PasswordAlways                           // everybody: users without one are refused
)

// ID returns "two-factor".
func (p *TwoFactor) ID() string { return "two-factor" }

// twoFactorRow is what a user who has set up an authenticator app has.
type twoFactorRow struct {
	ID                      string         `db:"id"`
	Secret                  string         `db:"secret"`      // encrypted
	BackupCodes             string         `db:"backupCodes"` // a JSON array, encrypted
	UserID                  string         `db:"userId"`
	Verified                *bool          `db:"verified"` // nil, in old rows: yes
	FailedVerificationCount *int64         `db:"failedVerificationCount"`
	LockedUntil             *time.Time     `db:"lockedUntil"`
	Extra                   map[string]any `db:",extra"` // lastTotpStep, and columns of other plugins
}

// unverified reports whether nobody has shown a code of the app yet.
func (r *twoFactorRow) unverified() bool { return r.Verified != nil && !*r.Verified }

func (p *TwoFactor) table() *Table {
	t := &Table{Name: "twoFactor", Columns: []Column{
		{Name: "secret", Type: TypeString, Hidden: true, Index: true},
		{Name: "backupCodes", Type: TypeString, Hidden: true},
		{Name: "userId", Type: TypeString, Hidden: true, Index: true, References: "user"},
		{Name: "verified", Type: TypeBoolean, Nullable: true},
		{Name: "failedVerificationCount", Type: TypeNumber, Nullable: true, Hidden: true},
		{Name: "lockedUntil", Type: TypeDate, Nullable: true, Hidden: true},
	}}
	if p.PreventReplay {
		t.Columns = append(t.Columns, Column{Name: lastTOTPStep, Type: TypeNumber, Nullable: true, Hidden: true, BigInt: true})
	}
	return t
}

// enabledColumn is the column of users that says whether they have turned it on.
const enabledColumn = "twoFactorEnabled"

func hasTwoFactor(user *User) bool {
	on, _ := user.Fields[enabledColumn].(bool)
	return on
}

// Extend implements [Plugin]. Errors: options that cannot be, all of them.
func (p *TwoFactor) Extend(s *Services) (*Extension, error) {
	p.services = s
	p.setDefaults()
	if err := p.check(); err != nil {
		return nil, err
	}
	p.rows = NewRecords[twoFactorRow](p.table())
	p.codes = otpCodes{services: s, storage: p.OTP.Storage, lifetime: p.OTP.Period, attempts: p.OTP.AllowedAttempts}
	return &Extension{
		Endpoints: p.endpoints(),
		After:     []RouteHook{{Run: p.keepTrust}},
		Tables:    []PluginTable{p.rows},
		Columns: map[string][]Column{"user": {{
			Name: enabledColumn, Type: TypeBoolean, Nullable: true, Optional: true, ServerOnly: true,
			Default: func() any { return false },
		}}},
		RateRules: map[string]RateRule{"/two-factor/**": {Window: 10 * time.Second, Max: 3}},
		Challenge: p.challenge,
		Answers:   p.answers(),
		Unproven:  p.unproven,
	}, nil
}

func (p *TwoFactor) setDefaults() {
	p.CookieMaxAge = cmp.Or(p.CookieMaxAge, 10*time.Minute)
	p.TrustDeviceMaxAge = cmp.Or(p.TrustDeviceMaxAge, 30*24*time.Hour)
	p.TOTP.Digits = cmp.Or(p.TOTP.Digits, 6)
	p.TOTP.Period = cmp.Or(p.TOTP.Period, 30*time.Second)
	p.OTP.Digits = cmp.Or(p.OTP.Digits, 6)
	p.OTP.Period = cmp.Or(p.OTP.Period, 3*time.Minute)
	p.OTP.AllowedAttempts = cmp.Or(p.OTP.AllowedAttempts, 5)
	p.BackupCodes.Amount = cmp.Or(p.BackupCodes.Amount, 10)
	p.BackupCodes.Length = cmp.Or(p.BackupCodes.Length, 10)
	p.Lockout.MaxFailedAttempts = cmp.Or(p.Lockout.MaxFailedAttempts, 10)
	p.Lockout.Duration = cmp.Or(p.Lockout.Duration, 15*time.Minute)
}

// check returns all mistakes in the options.
func (p *TwoFactor) check() error {
	var mistakes []error
	need := func(ok bool, text string) {
		if !ok {
			mistakes = append(mistakes, errors.New(text))
		}
	}
	need(p.CookieMaxAge >= time.Second, "CookieMaxAge is less than a second")
	need(p.TrustDeviceMaxAge >= time.Second, "TrustDeviceMaxAge is less than a second")
	need(p.TOTP.Digits >= 1 && p.TOTP.Digits <= 8, "TOTP.Digits is not between 1 and 8")
	need(p.TOTP.Period >= time.Second && p.TOTP.Period%time.Second == 0, "TOTP.Period is no number of seconds")
	need(p.OTP.Digits >= 1 && p.OTP.Digits <= 32, "OTP.Digits is not between 1 and 32")
	need(p.OTP.Period > 0, "OTP.Period is negative")
	need(p.OTP.AllowedAttempts > 0, "OTP.AllowedAttempts is negative")
	need(p.BackupCodes.Amount > 0, "BackupCodes.Amount is negative")
	need(p.BackupCodes.Length > 0, "BackupCodes.Length is negative")
	need(!p.BackupCodes.Storage.Hashed || p.BackupCodes.Length >= minHashedCode || p.BackupCodes.Generate != nil, "BackupCodes.Storage.Hashed needs a Length of 19: hashes of shorter codes can be tried out")
	need(p.Lockout.MaxFailedAttempts > 0, "Lockout.MaxFailedAttempts is negative")
	need(p.Lockout.Duration > 0, "Lockout.Duration is negative")
	need(p.Page == "" || strings.HasPrefix(p.Page, "/") || strings.Contains(p.Page, "://"), "Page is neither a path nor a URL")
	need(p.Page != "" || !p.Everywhere, "Everywhere needs a Page, to which those go who sign in by a link")
	return errors.Join(append(mistakes, p.BackupCodes.Storage.check(), p.OTP.Storage.check())...)
}

func (p *TwoFactor) endpoints() []PluginEndpoint {
	const post = http.MethodPost
	p.Enable = NewEndpoint(post, "/two-factor/enable", p.enable)
	p.Disable = NewEndpoint(post, "/two-factor/disable", p.disable)
	p.GetTOTPURI = NewEndpoint(post, "/two-factor/get-totp-uri", p.getTOTPURI)
	p.VerifyTOTP = NewEndpoint(post, "/two-factor/verify-totp", p.verifyTOTP)
	p.SendOTP = NewEndpoint(post, "/two-factor/send-otp", p.sendOTP)
	p.VerifyOTP = NewEndpoint(post, "/two-factor/verify-otp", p.verifyOTP)
	p.VerifyBackupCode = NewEndpoint(post, "/two-factor/verify-backup-code", p.verifyBackupCode)
	p.GenerateBackupCodes = NewEndpoint(post, "/two-factor/generate-backup-codes", p.generateBackupCodes)
	p.GenerateTOTP = NewEndpoint(post, "", p.generateTOTP)
	p.ViewBackupCodes = NewEndpoint(post, "", p.viewBackupCodes)
	p.describe()
	return []PluginEndpoint{
		{Name: "generateTOTP", Endpoint: p.GenerateTOTP},
		{Name: "getTOTPURI", Endpoint: p.GetTOTPURI, Session: SessionStored, Require: p.requires(p.TOTP.Password)},
		{Name: "verifyTOTP", Endpoint: p.VerifyTOTP},
		{Name: "sendTwoFactorOTP", Endpoint: p.SendOTP, OptionalBody: true},
		{Name: "verifyTwoFactorOTP", Endpoint: p.VerifyOTP},
		{Name: "verifyBackupCode", Endpoint: p.VerifyBackupCode},
		{Name: "generateBackupCodes", Endpoint: p.GenerateBackupCodes, Session: SessionStored, Require: p.requires(p.BackupCodes.Password)},
		{Name: "viewBackupCodes", Endpoint: p.ViewBackupCodes},
		{Name: "enableTwoFactor", Endpoint: p.Enable, Session: SessionStored, Require: p.requires(PasswordAsConfigured)},
		{Name: "disableTwoFactor", Endpoint: p.Disable, Session: SessionStored, Require: p.requires(PasswordAsConfigured)},
	}
}

// requires names the member that a body must have under a rule.
func (p *TwoFactor) requires(rule PasswordRule) []string {
	if p.passwordless(rule) {
		return nil
	}
	return []string{"password"}
}

func (p *TwoFactor) passwordless(rule PasswordRule) bool {
	return rule == PasswordIfAny || rule == PasswordAsConfigured && p.AllowPasswordless
}

// TwoFactorPasswordRequest is the body of the endpoints that want nothing but the
// user's password. It may be missing where the user has none and that is allowed
// (TwoFactor.AllowPasswordless).
type TwoFactorPasswordRequest struct {
	Password string `json:"password,omitempty"`
}

// confirmPassword checks the password of a user who changes the factors.
//
// Errors: ErrInvalidPassword, ErrPasswordTooLong.
func (p *TwoFactor) confirmPassword(ctx context.Context, user *User, password string, rule PasswordRule) error {
	account, err := p.services.PasswordAccount(ctx, user.ID)
	if err != nil || account == nil && p.passwordless(rule) {
		return err
	}
	if password == "" {
		return ErrInvalidPassword.With(http.StatusBadRequest)
	}
	ok, err := p.services.VerifyPassword(ctx, account, password)
	if err == nil && !ok {
		path := ExchangeFrom(ctx).Operation().Path()
		p.services.Event(ctx, Event{Name: EventPasswordRefused, UserID: user.ID, Attrs: []slog.Attr{slog.String("path", path)}})
		err = ErrInvalidPassword.With(http.StatusBadRequest)
	}
	return err
}

// unproven turns it off for a user who turns out to be somebody else than who has set
// it up: the owner of the mailbox could never sign in.
func (p *TwoFactor) unproven(ctx context.Context, user *User) error {
	if _, err := p.rows.Delete(ctx, Where("userId", user.ID)); err != nil {
		return err
	}
	_, err := p.services.UpdateUser(ctx, user.ID, map[string]any{enabledColumn: false})
	return err
}

// row returns what a user has set up, nil if that is nothing.
func (p *TwoFactor) row(ctx context.Context, userID string) (*twoFactorRow, error) {
	return p.rows.First(ctx, Where("userId", userID))
}

// turn turns it on or off for the signed-in user and gives them a new session in
// place of the current one, all in one transaction with what also does. The cookies
// are up to sendTurned.
func (p *TwoFactor) turn(ctx context.Context, current *SessionData, on bool, also func(ctx context.Context) error) (*SessionData, error) {
	s, fresh := p.services, &SessionData{}
	err := s.Transaction(ctx, func(ctx context.Context) (err error) {
		if _, err = s.LockUser(ctx, current.User.ID); err != nil {
			return err
		}
		if fresh.User, err = s.UpdateUser(ctx, current.User.ID, map[string]any{enabledColumn: on}); err != nil || fresh.User == nil {
			return orNoUser(err)
		}
		if err = also(ctx); err != nil {
			return err
		}
		if fresh.Session, err = p.createSession(ctx, current.User.ID, s.Forgets(ctx), current.Session); err != nil {
			return err
		}
		name := EventSecondFactorDisabled
		if on {
			name = EventSecondFactorEnabled
		}
		s.Event(ctx, Event{Name: name, UserID: current.User.ID, SessionID: fresh.Session.ID})
		return s.DeleteSession(ctx, current.Session.Token)
	})
	return fresh, err
}

// orNoUser is the error for a user who was deleted meanwhile, unless there is
// another one.
func orNoUser(err error) error {
	if err == nil {
		err = ErrFailedToUpdateUser.With(http.StatusBadRequest)
	}
	return err
}

func (p *TwoFactor) sendTurned(ctx context.Context, fresh *SessionData) {
	p.services.SetSession(ctx, fresh, p.services.Forgets(ctx))
}

// createSession is CreateSession with an error for clients if a hook refuses.
func (p *TwoFactor) createSession(ctx context.Context, userID string, forget bool, before *Session) (*Session, error) {
	session, err := p.services.CreateSession(ctx, userID, forget, before)
	if errors.Is(err, ErrAborted) {
		err = NewError(http.StatusInternalServerError, ErrFailedToCreateSession, "failed to create session").WithCause(err)
	}
	return session, err
}

// seal encrypts a secret or backup codes in the original's form.
func (p *TwoFactor) seal(text string) (string, error) { return p.services.Encrypt("", text) }

func (p *TwoFactor) open(sealed string) (string, error) {
	text, err := p.services.Decrypt("", sealed)
	if err != nil {
		err = fmt.Errorf("auth: a secret of two-factor cannot be decrypted: %w", err)
	}
	return text, err
}
