package auth

import "net/http"

// API has the endpoints of an instance as fields, named as in the original
// (signInEmail is SignInEmail). Paths are below the base path.
type API struct {
	SignUpEmail   *Endpoint[SignUpEmailRequest, *SignUpEmailResponse]   // POST /sign-up/email: a new user with a password
	SignInSocial  *Endpoint[SignInSocialRequest, *SignInSocialResponse] // POST /sign-in/social: where to go for a provider, or a sign-in by its id_token
	CallbackOAuth *Endpoint[CallbackOAuthRequest, Empty]                // GET, POST /callback/:id: the way back from a provider
	SignInEmail   *Endpoint[SignInEmailRequest, *SignInEmailResponse]   // POST /sign-in/email: with address and password
	SignOut       *Endpoint[SignOutRequest, *SignOutResponse]           // POST /sign-out: ends the session

	GetSession          *Endpoint[GetSessionRequest, *SessionData]              // GET, POST /get-session: who is signed in; nil if nobody is
	UpdateSession       *Endpoint[UpdateSessionRequest, *UpdateSessionResponse] // POST /update-session: additional columns
	ListSessions        *Endpoint[Empty, []*Session]                            // GET /list-sessions: the user's, on all devices
	RevokeSession       *Endpoint[RevokeSessionRequest, *Status]                // POST /revoke-session: ends one by its token
	RevokeSessions      *Endpoint[Empty, *Status]                               // POST /revoke-sessions: ends all of the user's
	RevokeOtherSessions *Endpoint[Empty, *Status]                               // POST /revoke-other-sessions: all but this one

	RequestPasswordReset         *Endpoint[RequestPasswordResetRequest, *RequestPasswordResetResponse] // POST /request-password-reset: mails a link
	RequestPasswordResetCallback *Endpoint[RequestPasswordResetCallbackRequest, Empty]                 // GET /reset-password/:token: where it leads
	ResetPassword                *Endpoint[ResetPasswordRequest, *Status]                              // POST /reset-password: a new password for the token
	VerifyPassword               *Endpoint[VerifyPasswordRequest, *Status]                             // POST /verify-password: is it the user's?
	ChangePassword               *Endpoint[ChangePasswordRequest, *ChangePasswordResponse]             // POST /change-password: by who knows the old one
	SetPassword                  *Endpoint[SetPasswordRequest, *Status]                                // a first password; has no URL

	SendVerificationEmail *Endpoint[SendVerificationEmailRequest, *Status]    // POST /send-verification-email: mails a link
	VerifyEmail           *Endpoint[VerifyEmailRequest, *VerifyEmailResponse] // GET /verify-email: where it leads

	UpdateUser         *Endpoint[UpdateUserRequest, *Status]                     // POST /update-user: name, image, additional columns
	ChangeEmail        *Endpoint[ChangeEmailRequest, *Status]                    // POST /change-email: begins a change of the address
	DeleteUser         *Endpoint[DeleteUserRequest, *DeleteUserResponse]         // POST /delete-user: deletes, or mails a link
	DeleteUserCallback *Endpoint[DeleteUserCallbackRequest, *DeleteUserResponse] // GET /delete-user/callback: where it leads

	LinkSocialAccount *Endpoint[LinkSocialAccountRequest, *LinkSocialAccountResponse] // POST /link-social: one more account at a provider
	ListUserAccounts  *Endpoint[Empty, []AccountInfo]                                 // GET /list-accounts: the user's
	UnlinkAccount     *Endpoint[UnlinkAccountRequest, *Status]                        // POST /unlink-account: takes one away
	AccountInfo       *Endpoint[AccountInfoRequest, *AccountInfoResponse]             // GET /account-info: what the provider says now
	GetAccessToken    *Endpoint[AccountRequest, *AccessTokenResponse]                 // POST /get-access-token: for the provider's API
	RefreshToken      *Endpoint[AccountRequest, *RefreshTokenResponse]                // POST /refresh-token: a new one

	OK    *Endpoint[Empty, *OKResponse] // GET /ok: the server serves
	Error *Endpoint[ErrorRequest, Raw]  // GET /error: the page for failed links

	plugins []Operation
}

// newAPI is the map of the core: what each endpoint is called, where it is and
// which checks stand before its function (contract section 0).
func newAPI(c *core, p *pipeline) API {
	api := API{
		SignUpEmail:  define(postAt("signUpEmail", "/sign-up/email", c.guardForm()).acceptingForms(), p, c.signUpEmail),
		SignInSocial: define(postAt("signInSocial", "/sign-in/social"), p, c.signInSocial),
		CallbackOAuth: define(spec{
			name: "callbackOAuth", methods: []string{http.MethodGet, http.MethodPost}, path: "/callback/:id",
			form: true, bodyOptional: true, queryInBody: true,
		}, p, c.callbackOAuth),
		SignInEmail: define(postAt("signInEmail", "/sign-in/email", c.guardForm()).acceptingForms(), p, c.signInEmail),
		SignOut:     define(postAt("signOut", "/sign-out", requireHeaders()).withOptionalBody().authenticating(authenticationOptional), p, c.signOut),

		GetSession: define(spec{
			name: "getSession", methods: []string{http.MethodGet, http.MethodPost}, path: "/get-session",
			ignoreBody: true, noStore: true, reads: true, use: []check{requireHeaders()},
			authentication: authenticationOptional, nullResult: true,
		}, p, c.getSession),
		UpdateSession:       define(postAt("updateSession", "/update-session", c.requireSession()), p, c.updateSession),
		ListSessions:        define(getAt("listSessions", "/list-sessions", requireHeaders(), c.requireFreshSession()).reading(), p, c.listSessions),
		RevokeSession:       define(postAt("revokeSession", "/revoke-session", requireHeaders(), c.requireStoredSession()), p, c.revokeSession),
		RevokeSessions:      define(postAt("revokeSessions", "/revoke-sessions", requireHeaders(), c.requireStoredSession()), p, c.revokeSessions),
		RevokeOtherSessions: define(postAt("revokeOtherSessions", "/revoke-other-sessions", requireHeaders(), c.requireStoredSession()), p, c.revokeOtherSessions),

		RequestPasswordReset:         define(postAt("requestPasswordReset", "/request-password-reset"), p, c.requestPasswordReset),
		RequestPasswordResetCallback: define(getAt("requestPasswordResetCallback", "/reset-password/:token", c.guardCallback()), p, c.requestPasswordResetCallback),
		ResetPassword:                define(postAt("resetPassword", "/reset-password"), p, c.resetPassword),
		VerifyPassword:               define(postAt("verifyPassword", "/verify-password", c.requireStoredSession()), p, c.verifyPassword),
		ChangePassword:               define(postAt("changePassword", "/change-password", c.requireStoredSession()), p, c.changePassword),
		SetPassword:                  define(postAt("setPassword", "", c.requireStoredSession()), p, c.setPassword),

		SendVerificationEmail: define(postAt("sendVerificationEmail", "/send-verification-email").authenticating(authenticationOptional), p, c.sendVerificationEmail),
		VerifyEmail:           define(getAt("verifyEmail", "/verify-email", c.guardCallback()).authenticating(authenticationOptional), p, c.verifyEmail),

		UpdateUser:         define(postAt("updateUser", "/update-user", c.requireSession()), p, c.updateUserEndpoint),
		ChangeEmail:        define(postAt("changeEmail", "/change-email", c.requireStoredSession()), p, c.changeEmail),
		DeleteUser:         define(postAt("deleteUser", "/delete-user", c.requireStoredSession()), p, c.deleteUserEndpoint),
		DeleteUserCallback: define(getAt("deleteUserCallback", "/delete-user/callback", c.guardCallback()).authenticating(authenticationOptional), p, c.deleteUserCallback),

		LinkSocialAccount: define(postAt("linkSocialAccount", "/link-social", requireHeaders(), c.requireStoredSession()), p, c.linkSocialAccount),
		ListUserAccounts:  define(getAt("listUserAccounts", "/list-accounts", c.requireSession()).reading(), p, c.listUserAccounts),
		UnlinkAccount:     define(postAt("unlinkAccount", "/unlink-account", c.requireFreshSession()), p, c.unlinkAccount),
		AccountInfo:       define(getAt("accountInfo", "/account-info").authenticating(authenticationRequired), p, c.accountInfo),
		GetAccessToken:    define(postAt("getAccessToken", "/get-access-token").authenticating(authenticationRequired), p, c.getAccessToken),
		RefreshToken:      define(postAt("refreshToken", "/refresh-token").authenticating(authenticationRequired), p, c.refreshToken),

		OK:    define(getAt("ok", "/ok").reading(), p, c.ok),
		Error: define(getAt("error", "/error").reading().sending("text/html"), p, c.error),
	}
	api.describe()
	return api
}

func getAt(name, path string, use ...check) spec {
	return spec{name: name, methods: []string{http.MethodGet}, path: path, use: use}
}

// postAt without a path is for Go code alone.
func postAt(name, path string, use ...check) spec {
	return spec{name: name, methods: []string{http.MethodPost}, path: path, use: use}
}

func (s spec) acceptingForms() spec {
	s.form = true
	return s
}

// reading is for what can be asked again when an answer was lost.
func (s spec) reading() spec {
	s.reads = true
	return s
}

func (s spec) withOptionalBody() spec {
	s.bodyOptional = true
	return s
}

// authenticating is for functions that look at the session themselves.
func (s spec) authenticating(a authentication) spec {
	s.authentication = a
	return s
}

func (s spec) sending(media string) spec {
	s.media = media
	return s
}

// Operations lists every endpoint, in the order of the original's api object, and
// then those of plugins.
func (a *API) Operations() []Operation {
	return append([]Operation{
		a.SignInSocial, a.CallbackOAuth,
		a.SignUpEmail, a.SignInEmail, a.SignOut,
		a.GetSession, a.UpdateSession, a.ListSessions, a.RevokeSession, a.RevokeSessions, a.RevokeOtherSessions,
		a.RequestPasswordReset, a.RequestPasswordResetCallback, a.ResetPassword, a.VerifyPassword, a.ChangePassword, a.SetPassword,
		a.SendVerificationEmail, a.VerifyEmail,
		a.UpdateUser, a.ChangeEmail, a.DeleteUser, a.DeleteUserCallback,
		a.ListUserAccounts, a.LinkSocialAccount, a.UnlinkAccount, a.AccountInfo, a.GetAccessToken, a.RefreshToken,
		a.OK, a.Error,
	}, a.plugins...)
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
