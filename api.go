package auth

import "net/http"

// API has the endpoints of an instance as fields, named as in the original
// (signInEmail is SignInEmail).
type API struct {
	SignUpEmail *Endpoint[SignUpEmailRequest, *SignUpEmailResponse]
	SignInEmail *Endpoint[SignInEmailRequest, *SignInEmailResponse]
	SignOut     *Endpoint[SignOutRequest, *SignOutResponse]

	GetSession          *Endpoint[GetSessionRequest, *SessionData]
	UpdateSession       *Endpoint[UpdateSessionRequest, *UpdateSessionResponse]
	ListSessions        *Endpoint[Empty, []*Session]
	RevokeSession       *Endpoint[RevokeSessionRequest, *Status]
	RevokeSessions      *Endpoint[Empty, *Status]
	RevokeOtherSessions *Endpoint[Empty, *Status]

	RequestPasswordReset         *Endpoint[RequestPasswordResetRequest, *RequestPasswordResetResponse]
	RequestPasswordResetCallback *Endpoint[RequestPasswordResetCallbackRequest, Empty]
	ResetPassword                *Endpoint[ResetPasswordRequest, *Status]
	VerifyPassword               *Endpoint[VerifyPasswordRequest, *Status]
	ChangePassword               *Endpoint[ChangePasswordRequest, *ChangePasswordResponse]
	SetPassword                  *Endpoint[SetPasswordRequest, *Status] // has no URL

	SendVerificationEmail *Endpoint[SendVerificationEmailRequest, *Status]
	VerifyEmail           *Endpoint[VerifyEmailRequest, *VerifyEmailResponse]

	UpdateUser         *Endpoint[UpdateUserRequest, *Status]
	ChangeEmail        *Endpoint[ChangeEmailRequest, *Status]
	DeleteUser         *Endpoint[DeleteUserRequest, *DeleteUserResponse]
	DeleteUserCallback *Endpoint[DeleteUserCallbackRequest, *DeleteUserResponse]

	ListUserAccounts *Endpoint[Empty, []AccountInfo]
	UnlinkAccount    *Endpoint[UnlinkAccountRequest, *Status]
	AccountInfo      *Endpoint[AccountInfoRequest, *AccountInfoResponse]
	GetAccessToken   *Endpoint[AccountRequest, *AccessTokenResponse]
	RefreshToken     *Endpoint[AccountRequest, *RefreshTokenResponse]

	OK    *Endpoint[Empty, *OKResponse]
	Error *Endpoint[ErrorRequest, Raw]
}

const (
	get  = http.MethodGet
	post = http.MethodPost
)

// newAPI is the map of the core: what each endpoint is called, where it is and
// which checks stand before its function (contract section 0).
func newAPI(c *core, p *pipeline) API {
	type checks = []func(*Exchange) error
	return API{
		SignUpEmail: define(spec{name: "signUpEmail", methods: []string{post}, path: "/sign-up/email", form: true, use: checks{c.guardForm}}, p, c.signUpEmail),
		SignInEmail: define(spec{name: "signInEmail", methods: []string{post}, path: "/sign-in/email", form: true, use: checks{c.guardForm}}, p, c.signInEmail),
		SignOut:     define(spec{name: "signOut", methods: []string{post}, path: "/sign-out", bodyOptional: true, use: checks{requireHeaders}}, p, c.signOut),

		GetSession:          define(spec{name: "getSession", methods: []string{get, post}, path: "/get-session", ignoreBody: true, noStore: true, use: checks{requireHeaders}}, p, c.getSession),
		UpdateSession:       define(spec{name: "updateSession", methods: []string{post}, path: "/update-session", use: checks{c.requireSession}}, p, c.updateSession),
		ListSessions:        define(spec{name: "listSessions", methods: []string{get}, path: "/list-sessions", use: checks{requireHeaders, c.requireFreshSession}}, p, c.listSessions),
		RevokeSession:       define(spec{name: "revokeSession", methods: []string{post}, path: "/revoke-session", use: checks{requireHeaders, c.requireStoredSession}}, p, c.revokeSession),
		RevokeSessions:      define(spec{name: "revokeSessions", methods: []string{post}, path: "/revoke-sessions", use: checks{requireHeaders, c.requireStoredSession}}, p, c.revokeSessions),
		RevokeOtherSessions: define(spec{name: "revokeOtherSessions", methods: []string{post}, path: "/revoke-other-sessions", use: checks{requireHeaders, c.requireStoredSession}}, p, c.revokeOtherSessions),

		RequestPasswordReset:         define(spec{name: "requestPasswordReset", methods: []string{post}, path: "/request-password-reset"}, p, c.requestPasswordReset),
		RequestPasswordResetCallback: define(spec{name: "requestPasswordResetCallback", methods: []string{get}, path: "/reset-password/:token", use: checks{c.guardCallback}}, p, c.requestPasswordResetCallback),
		ResetPassword:                define(spec{name: "resetPassword", methods: []string{post}, path: "/reset-password"}, p, c.resetPassword),
		VerifyPassword:               define(spec{name: "verifyPassword", methods: []string{post}, path: "/verify-password", use: checks{c.requireStoredSession}}, p, c.verifyPassword),
		ChangePassword:               define(spec{name: "changePassword", methods: []string{post}, path: "/change-password", use: checks{c.requireStoredSession}}, p, c.changePassword),
		SetPassword:                  define(spec{name: "setPassword", methods: []string{post}, use: checks{c.requireStoredSession}}, p, c.setPassword),

		SendVerificationEmail: define(spec{name: "sendVerificationEmail", methods: []string{post}, path: "/send-verification-email"}, p, c.sendVerificationEmail),
		VerifyEmail:           define(spec{name: "verifyEmail", methods: []string{get}, path: "/verify-email", use: checks{c.guardCallback}}, p, c.verifyEmail),

		UpdateUser:         define(spec{name: "updateUser", methods: []string{post}, path: "/update-user", use: checks{c.requireSession}}, p, c.updateUserEndpoint),
		ChangeEmail:        define(spec{name: "changeEmail", methods: []string{post}, path: "/change-email", use: checks{c.requireStoredSession}}, p, c.changeEmail),
		DeleteUser:         define(spec{name: "deleteUser", methods: []string{post}, path: "/delete-user", use: checks{c.requireStoredSession}}, p, c.deleteUserEndpoint),
		DeleteUserCallback: define(spec{name: "deleteUserCallback", methods: []string{get}, path: "/delete-user/callback", use: checks{c.guardCallback}}, p, c.deleteUserCallback),

		ListUserAccounts: define(spec{name: "listUserAccounts", methods: []string{get}, path: "/list-accounts", use: checks{c.requireSession}}, p, c.listUserAccounts),
		UnlinkAccount:    define(spec{name: "unlinkAccount", methods: []string{post}, path: "/unlink-account", use: checks{c.requireFreshSession}}, p, c.unlinkAccount),
		AccountInfo:      define(spec{name: "accountInfo", methods: []string{get}, path: "/account-info"}, p, c.accountInfo),
		GetAccessToken:   define(spec{name: "getAccessToken", methods: []string{post}, path: "/get-access-token"}, p, c.getAccessToken),
		RefreshToken:     define(spec{name: "refreshToken", methods: []string{post}, path: "/refresh-token"}, p, c.refreshToken),

		OK:    define(spec{name: "ok", methods: []string{get}, path: "/ok"}, p, c.ok),
		Error: define(spec{name: "error", methods: []string{get}, path: "/error"}, p, c.error),
	}
}

// Operations lists every endpoint, in the order of the original's api object.
func (a *API) Operations() []Operation {
	return []Operation{
		a.SignUpEmail, a.SignInEmail, a.SignOut,
		a.GetSession, a.UpdateSession, a.ListSessions, a.RevokeSession, a.RevokeSessions, a.RevokeOtherSessions,
		a.RequestPasswordReset, a.RequestPasswordResetCallback, a.ResetPassword, a.VerifyPassword, a.ChangePassword, a.SetPassword,
		a.SendVerificationEmail, a.VerifyEmail,
		a.UpdateUser, a.ChangeEmail, a.DeleteUser, a.DeleteUserCallback,
		a.ListUserAccounts, a.UnlinkAccount, a.AccountInfo, a.GetAccessToken, a.RefreshToken,
		a.OK, a.Error,
	}
}

// Operation returns the endpoint with the original's API name, such as
// "signInEmail", nil if there is none.
func (a *API) Operation(name string) Operation {
	for _, op := range a.Operations() {
		if op.Name() == name {
			return op
		}
	}
	return nil
}
