package auth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// EmailOTP lets users prove with a code of a few digits, sent to their address, that
// the address is theirs: to verify it, to sign in or up, to choose a new password, to
// change the address. It is the original's plugin "email-otp".
//
// A code is good for one thing and once. After AllowedAttempts wrong ones it is gone,
// however many are brought at the same moment.
type EmailOTP struct {
	// Send sends a code, in the background. Without it the endpoints that send
	// answer 400; CreateVerificationOTP is left to applications that send codes
	// themselves.
	Send func(ctx context.Context, mail OTPMail) error

	Length    int           // digits of a code; default 6
	ExpiresIn time.Duration // lifetime of a code; default 5 minutes

	// Generate makes the codes. An empty one stands for that of the plugin. Codes
	// that can be guessed in AllowedAttempts are no proof of anything.
	Generate func(ctx context.Context, email string, typ OTPType) string

	// SendOnSignUp sends a code to verify the address after every sign-up.
	SendOnSignUp bool

	// DisableSignUp keeps SignIn from making users. Codes to sign in are sent to
	// known addresses only then.
	DisableSignUp bool

	AllowedAttempts int // wrong codes that may be brought; default 3

	Store OTPStorage // how codes are stored; default: as they are

	// Reuse sends the code again that is still good, with its lifetime from now,
	// unless it can no longer be read. Otherwise a new one takes its place.
	Reuse bool

	EmailChange OTPEmailChange // change of a user's address; default: none

	// OverrideVerification sends codes where the core would send links that verify
	// an address, unless EmailVerification.Send is there.
	OverrideVerification bool

	// RateLimit is that of each endpoint. Default: 3 requests in 60 seconds.
	RateLimit RateRule

	SendVerificationOTP  *Endpoint[SendVerificationOTPRequest, *EmailOTPResponse]
	CheckVerificationOTP *Endpoint[CheckVerificationOTPRequest, *EmailOTPResponse]
	VerifyEmail          *Endpoint[VerifyEmailOTPRequest, *VerifyEmailOTPResponse]
	SignIn               *Endpoint[SignInEmailOTPRequest, *SignInEmailOTPResponse]
	RequestPasswordReset *Endpoint[EmailOTPPasswordRequest, *EmailOTPResponse]
	ForgetPassword       *Endpoint[EmailOTPPasswordRequest, *EmailOTPResponse] // the older name of RequestPasswordReset
	ResetPassword        *Endpoint[ResetPasswordOTPRequest, *EmailOTPResponse]
	RequestEmailChange   *Endpoint[RequestEmailChangeOTPRequest, *EmailOTPResponse]
	ChangeEmail          *Endpoint[ChangeEmailOTPRequest, *EmailOTPResponse]

	CreateVerificationOTP *Endpoint[CreateVerificationOTPRequest, string]                   // has no URL
	GetVerificationOTP    *Endpoint[GetVerificationOTPRequest, *GetVerificationOTPResponse] // has no URL

	services *Services
	codes    *otpCodes
}

// OTPMail is a code that is to be sent to an address.
type OTPMail struct {
	Email string
	Code  string
	Type  OTPType
}

// OTPType is what a code is good for.
type OTPType string

// What codes of EmailOTP are good for.
const (
	OTPVerifyEmail    OTPType = "email-verification"
	OTPSignIn         OTPType = "sign-in"
	OTPForgetPassword OTPType = "forget-password"
	OTPChangeEmail    OTPType = "change-email"
)

// purpose is that of verifications.
func (t OTPType) purpose() string { return string(t) + "-otp-" }

// OTPEmailChange configures the change of a user's address by a code that the new
// address gets.
type OTPEmailChange struct {
	Enabled bool

	// VerifyCurrent asks for a code of the type OTPVerifyEmail, which the current
	// address got, before the new address gets one.
	VerifyCurrent bool
}

// EmailOTPResponse is the answer of endpoints that have nothing else to say.
type EmailOTPResponse struct {
	Success bool `json:"success"`
}

// ID implements Plugin.
func (e *EmailOTP) ID() string { return "email-otp" }

const (
	defaultOTPLength   = 6
	defaultOTPLifetime = 5 * time.Minute
	defaultOTPAttempts = 3
)

// Extend implements Plugin.
func (e *EmailOTP) Extend(s *Services) (*Extension, error) {
	if e.Length < 0 || e.ExpiresIn < 0 || e.AllowedAttempts < 0 {
		return nil, errors.New("a negative Length, ExpiresIn or AllowedAttempts")
	}
	if err := e.Store.check(); err != nil {
		return nil, err
	}
	e.services = s
	e.codes = &otpCodes{
		services: s, storage: e.Store,
		lifetime: cmp.Or(e.ExpiresIn, defaultOTPLifetime),
		attempts: cmp.Or(e.AllowedAttempts, defaultOTPAttempts),
	}
	added := &Extension{Endpoints: e.endpoints(), RateRules: e.rateRules()}
	if e.SendOnSignUp && !e.OverrideVerification {
		added.After = []RouteHook{{Paths: []string{"/sign-up/**"}, Run: e.signedUp}}
		added.Errors = []RouteErrors{{Paths: []string{"/sign-up/**"}, Errors: map[int][]Code{400: {ErrInvalidEmail}}}}
	}
	if e.OverrideVerification {
		added.Defaults = e.override
	}
	return added, nil
}

func (e *EmailOTP) endpoints() []PluginEndpoint {
	const post, get = http.MethodPost, http.MethodGet
	e.SendVerificationOTP = NewEndpoint(post, "/email-otp/send-verification-otp", e.sendVerificationOTP)
	e.CheckVerificationOTP = NewEndpoint(post, "/email-otp/check-verification-otp", e.checkVerificationOTP)
	e.VerifyEmail = NewEndpoint(post, "/email-otp/verify-email", e.verifyEmail)
	e.SignIn = NewEndpoint(post, "/sign-in/email-otp", e.signIn)
	e.RequestPasswordReset = NewEndpoint(post, "/email-otp/request-password-reset", e.requestPasswordReset)
	e.ForgetPassword = NewEndpoint(post, "/forget-password/email-otp", e.requestPasswordReset)
	e.ResetPassword = NewEndpoint(post, "/email-otp/reset-password", e.resetPassword)
	e.RequestEmailChange = NewEndpoint(post, "/email-otp/request-email-change", e.requestEmailChange)
	e.ChangeEmail = NewEndpoint(post, "/email-otp/change-email", e.changeEmail)
	e.CreateVerificationOTP = NewEndpoint(post, "", e.createVerificationOTP)
	e.GetVerificationOTP = NewEndpoint(get, "", e.getVerificationOTP)
	e.describe()
	return []PluginEndpoint{
		{Name: "sendVerificationOTP", Endpoint: e.SendVerificationOTP, FormGuard: true},
		{Name: "createVerificationOTP", Endpoint: e.CreateVerificationOTP},
		{Name: "getVerificationOTP", Endpoint: e.GetVerificationOTP},
		{Name: "checkVerificationOTP", Endpoint: e.CheckVerificationOTP},
		{Name: "verifyEmailOTP", Endpoint: e.VerifyEmail},
		{Name: "signInEmailOTP", Endpoint: e.SignIn},
		{Name: "requestPasswordResetEmailOTP", Endpoint: e.RequestPasswordReset},
		{Name: "forgetPasswordEmailOTP", Endpoint: e.ForgetPassword},
		{Name: "resetPasswordEmailOTP", Endpoint: e.ResetPassword},
		{Name: "requestEmailChangeEmailOTP", Endpoint: e.RequestEmailChange, Session: SessionStored},
		{Name: "changeEmailEmailOTP", Endpoint: e.ChangeEmail, Session: SessionStored},
	}
}

// rateRules has one for each endpoint with a URL.
func (e *EmailOTP) rateRules() map[string]RateRule {
	rule := e.RateLimit
	rule.Window, rule.Max = cmp.Or(rule.Window, time.Minute), cmp.Or(rule.Max, 3)
	return map[string]RateRule{
		"/email-otp/send-verification-otp":  rule,
		"/email-otp/check-verification-otp": rule,
		"/email-otp/verify-email":           rule,
		"/sign-in/email-otp":                rule,
		"/email-otp/request-password-reset": rule,
		"/email-otp/reset-password":         rule,
		"/forget-password/email-otp":        rule,
		"/email-otp/request-email-change":   rule,
		"/email-otp/change-email":           rule,
	}
}

// address returns an address as it is stored. Errors: ErrInvalidEmail.
func (e *EmailOTP) address(email string) (string, error) {
	email = e.services.NormalEmail(email)
	if !ValidEmail(email) {
		return "", ErrInvalidEmail.With(http.StatusBadRequest)
	}
	return email, nil
}

// redeem takes a code that can be used no more. Right runs in one transaction with
// that: if it fails, the code stays good, unless the failure is a spentCode. Errors:
// ErrInvalidOTP, ErrOTPExpired, ErrTooManyAttempts, those of right.
func (e *EmailOTP) redeem(ctx context.Context, typ OTPType, token, code string, right func(ctx context.Context) error) error {
	var refusal error
	outcome, err := e.codes.redeem(ctx, typ.purpose(), token, code, func(ctx context.Context) error {
		err := right(ctx)
		if spent, ok := errors.AsType[spentCode](err); ok {
			refusal, err = spent.error, nil
		}
		return err
	})
	if err = e.judge(ctx, typ, outcome, err); err == nil {
		err = refusal
	}
	return err
}

// A spentCode is what somebody with a right code is told who gets nothing for it.
type spentCode struct{ error }

// spent makes a spentCode of what clients see. Other errors stay as they are.
func spent(err error) error {
	if _, told := errors.AsType[*APIError](err); told {
		return spentCode{err}
	}
	return err
}

// check is redeem for a code that stays good.
func (e *EmailOTP) check(ctx context.Context, typ OTPType, token, code string) error {
	outcome, err := e.codes.check(ctx, typ.purpose(), token, code)
	return e.judge(ctx, typ, outcome, err)
}

func (e *EmailOTP) judge(ctx context.Context, typ OTPType, outcome otpOutcome, err error) error {
	if err != nil {
		return err
	}
	if err = outcome.refusal(); err != nil {
		e.refused(ctx, typ, err)
	}
	return err
}

// refused records a code that was no good.
func (e *EmailOTP) refused(ctx context.Context, typ OTPType, err error) {
	refusal := Event{Name: EventTokenRefused, Method: string(typ)}
	if typ == OTPSignIn {
		refusal = Event{Name: EventSignInFailed, Method: e.ID()}
	}
	if api, ok := errors.AsType[*APIError](err); ok {
		refusal.Reason = strings.ToLower(string(api.Code))
	}
	e.services.Event(ctx, refusal)
}
