package auth

// describe says what documents say of the endpoints of the core.
func (a *API) describe() {
	a.describeSignIn()
	a.describeSessions()
	a.describePasswords()
	a.describeUser()
	a.describeAccounts()
	a.describePages()
}

func (a *API) describeSignIn() {
	a.SignUpEmail.Describe(Description{
		Summary: "Sign up with an e-mail address and a password",
		Details: "Creates a user and signs them in, with the session's cookie and its token in the answer. " +
			"The user is not signed in, and `token` is null, where addresses have to be verified first or sign-up is " +
			"configured not to sign in. The answer for an address that is taken looks the same there, so that it does " +
			"not tell who has an account. Values of additional user columns are further members of the body.",
		Errors: map[int][]Code{
			400: {ErrEmailPasswordSignUpDisabled, ErrPasswordTooShort, ErrPasswordTooLong, ErrMissingField, ErrFieldNotAllowed, ErrFailedToCreateUser, ErrFailedToCreateSession},
			403: {codeValidationFailed},
			422: {ErrUserAlreadyExistsUseAnotherEmail, ErrFailedToCreateUser},
			503: {ErrServiceOverloaded},
		},
	})
	a.SignInEmail.Describe(Description{
		Summary: "Sign in with an e-mail address and a password",
		Details: "Starts a session and sends its cookie. `rememberMe` false ends it with the browser. An unknown address " +
			"and a wrong password have the same answer. With `callbackURL` the answer asks the client to go there.",
		Errors: map[int][]Code{
			400: {ErrEmailPasswordDisabled, ErrInvalidEmail, ErrPasswordTooLong},
			401: {ErrInvalidEmailOrPassword, ErrFailedToCreateSession},
			403: {ErrEmailNotVerified},
			503: {ErrServiceOverloaded},
		},
	})
	a.SignInSocial.Describe(Description{
		Summary: "Sign in at a provider",
		Details: "Begins a flow at an OAuth 2.0 or OpenID provider: the browser is to go to `url`, and the provider sends it " +
			"back to /callback/:id. An app that has an id_token of the provider sends that in `idToken` and is signed in " +
			"at once. Where the account cannot be looked up, the answer leads to the error page.",
		Errors: map[int][]Code{
			400: {ErrMissingField},
			401: {ErrInvalidToken, ErrFailedToGetUserInfo, ErrUserEmailNotFound, ErrOAuthLink},
			403: {ErrEmailNotVerified, codeValidationFailed},
			404: {ErrProviderNotFound, ErrIDTokenNotSupported},
		},
		Redirects: true,
	})
	a.CallbackOAuth.Describe(Description{
		Summary: "End a sign-in at a provider",
		Details: "Where the provider sends the browser, which goes on to `callbackURL` of the request that began the flow, " +
			"signed in or with an account linked. Every failure leads to the error page of the flow with `?error=…`. A " +
			"posted form is turned into a query first.",
		Redirects: true,
	})
	a.SignOut.Describe(Description{
		Summary: "Sign out",
		Details: "Deletes the session, if there is one, and its cookies. `url` is where the provider that the user signed " +
			"in at ends its own session, if it has such a place.",
	})
}

func (a *API) describeSessions() {
	a.GetSession.Describe(Description{
		Summary: "Get the session and its user",
		Details: "The answer is null if there is none. A session that is due is prolonged, with new cookies, unless the " +
			"server defers that: then `needsRefresh` says that it is due, and POST prolongs it.",
		Errors: map[int][]Code{
			401: {ErrFailedToGetSession},
			405: {ErrMethodNotAllowedDeferSessionRequired},
			500: {ErrFailedToGetSession},
		},
	})
	a.UpdateSession.Describe(Description{
		Summary: "Change additional columns of the session",
		Details: "The members of the body are the values. What is absent stays.",
		Errors: map[int][]Code{
			400: {ErrFieldNotAllowed, ""},
			401: {ErrFailedToGetSession},
		},
	})
	a.ListSessions.Describe(Description{
		Summary: "List the sessions of the user",
		Details: "Those that have not expired, on all devices. Needs a session that began a short while ago.",
	})
	a.RevokeSession.Describe(Description{
		Summary: "End a session of the user",
		Details: "The answer is the same for a token that is unknown or belongs to somebody else.",
		Errors:  map[int][]Code{500: {ErrInternalServerError}},
	})
	a.RevokeSessions.Describe(Description{
		Summary: "End all sessions of the user",
		Details: "That of the caller too.",
		Errors:  map[int][]Code{500: {ErrInternalServerError}},
	})
	a.RevokeOtherSessions.Describe(Description{
		Summary: "End all other sessions of the user",
		Details: "That of the caller stays.",
		Errors:  map[int][]Code{500: {ErrInternalServerError}},
	})
}

func (a *API) describePasswords() {
	a.RequestPasswordReset.Describe(Description{
		Summary: "Ask for a mail to choose a new password",
		Details: "The answer is the same for every address. The link in the mail leads to `redirectTo` with `?token=…`.",
		Errors:  map[int][]Code{400: {ErrResetPasswordDisabled}},
	})
	a.RequestPasswordResetCallback.Describe(Description{
		Summary: "Follow the link to choose a new password",
		Details: "Where the link in the mail leads. It goes on to `callbackURL` with `?token=…`, or with `?error=INVALID_TOKEN` " +
			"if the token is unknown or has expired. The token is not spent.",
		Errors:    map[int][]Code{400: {ErrInvalidCallbackURL}},
		Redirects: true,
	})
	a.ResetPassword.Describe(Description{
		Summary: "Choose a new password with the token of a mail",
		Details: "The token is good once. It may be in the query instead of the body.",
		Errors: map[int][]Code{
			400: {ErrInvalidToken, ErrPasswordTooShort, ErrPasswordTooLong, ErrUserNotFound},
			503: {ErrServiceOverloaded},
		},
	})
	a.VerifyPassword.Describe(Description{
		Summary: "Check the user's password",
		Errors: map[int][]Code{
			400: {ErrInvalidPassword, ErrPasswordTooLong},
			503: {ErrServiceOverloaded},
		},
	})
	a.ChangePassword.Describe(Description{
		Summary: "Change the user's password",
		Details: "`revokeOtherSessions` ends all sessions; the caller gets a new one, whose token is in the answer.",
		Errors: map[int][]Code{
			400: {ErrInvalidPassword, ErrPasswordTooShort, ErrPasswordTooLong, ErrCredentialAccountNotFound},
			500: {ErrFailedToGetSession},
			503: {ErrServiceOverloaded},
		},
	})
	a.SetPassword.Describe(Description{
		Summary: "Give a user without a password one",
		Errors: map[int][]Code{
			400: {ErrPasswordAlreadySet, ErrPasswordTooShort, ErrPasswordTooLong},
			503: {ErrServiceOverloaded},
		},
	})
}

func (a *API) describeUser() {
	a.SendVerificationEmail.Describe(Description{
		Summary: "Ask for a mail that verifies an address",
		Details: "With a session the address has to be the user's own. Without one the answer is the same for every " +
			"address, and takes half a second.",
		Errors: map[int][]Code{400: {ErrVerificationEmailNotEnabled, ErrEmailMismatch, ErrEmailAlreadyVerified}},
	})
	a.VerifyEmail.Describe(Description{
		Summary: "Verify an address with the token of a mail",
		Details: "Where the link in the mail leads; it also carries on with a change of address. With `callbackURL` it goes " +
			"on there, after a failure with `?error=…`. `user` is null but at the end of a change.",
		Errors: map[int][]Code{
			401: {ErrInvalidToken, ErrTokenExpired, ErrUserNotFound, ErrInvalidUser, ErrUserAlreadyExists},
			500: {ErrFailedToCreateSession},
		},
		Redirects: true,
	})
	a.UpdateUser.Describe(Description{
		Summary: "Change the user's own data",
		Details: "What is absent stays, an `image` that is null is removed. Values of additional user columns are further " +
			"members of the body. The address is changed by /change-email.",
		Errors: map[int][]Code{400: {ErrEmailCanNotBeUpdated, ErrFieldNotAllowed, ErrFailedToUpdateUser, ""}},
	})
	a.ChangeEmail.Describe(Description{
		Summary: "Begin to change the user's address",
		Details: "The new address gets a mail with a link that changes it; the old one may have to confirm that first. The " +
			"answer is the same for an address that somebody else has.",
		Errors: map[int][]Code{400: {ErrChangeEmailDisabled, ErrFailedToUpdateUser, ErrUserNotFound, ""}},
	})
	a.DeleteUser.Describe(Description{
		Summary: "Delete the user",
		Details: "At once with `token`, the one of a mail; otherwise by the link in a mail where the server sends such, or at " +
			"once with `password` or a session that began a short while ago. Where the server has no deletion the answer " +
			"is 404.",
		Errors: map[int][]Code{
			400: {ErrSessionExpired, ErrInvalidPassword, ErrPasswordTooLong, ErrCredentialAccountNotFound, ErrFailedToUpdateUser},
			404: {ErrInvalidToken, ""},
			503: {ErrServiceOverloaded},
		},
	})
	a.DeleteUserCallback.Describe(Description{
		Summary: "Delete the user with the token of a mail",
		Details: "Where the link in the mail leads. The user whom the token is for has to be signed in. With `callbackURL` it " +
			"goes on there.",
		Errors: map[int][]Code{
			400: {ErrFailedToUpdateUser},
			404: {ErrNotFound, ErrFailedToGetUserInfo, ErrInvalidToken},
		},
		Redirects: true,
	})
}

func (a *API) describeAccounts() {
	a.ListUserAccounts.Describe(Description{
		Summary: "List the accounts of the user",
		Details: "The ways in which the user can sign in: `credential` stands for a password, the other names are those of " +
			"providers.",
	})
	a.LinkSocialAccount.Describe(Description{
		Summary: "Link an account at a provider",
		Details: "Begins a flow as /sign-in/social does, at the end of which the account at the provider is one of the " +
			"user's. An id_token links its account at once. Where the account cannot be looked up, the answer leads to " +
			"the error page.",
		Errors: map[int][]Code{
			401: {ErrInvalidToken, ErrFailedToGetUserInfo, ErrUserEmailNotFound, ErrLinkingNotAllowed, ErrLinkingDifferentEmailsNotAllowed},
			404: {ErrProviderNotFound, ErrIDTokenNotSupported},
			409: {ErrSocialAccountAlreadyLinked},
			417: {ErrLinkingFailed},
		},
		Redirects: true,
	})
	a.UnlinkAccount.Describe(Description{
		Summary: "Remove an account of the user",
		Details: "The last way to sign in stays, unless the server is configured otherwise. Needs a session that began a " +
			"short while ago.",
		Errors: map[int][]Code{
			400: {ErrAccountNotFound, ErrFailedToUnlinkLastAccount},
		},
	})
	a.AccountInfo.Describe(Description{
		Summary: "Get what a provider says about the user",
		Details: "Asks the provider, now. Without a session the answer is 401 without a body.",
		Errors: map[int][]Code{
			400: {ErrAccountNotFound, ErrProviderNotConfigured, ErrProviderNotSupported, ErrFailedToGetAccessToken, ErrAccessTokenNotFound, ErrUserIDOrSessionRequired},
			401: {ErrFailedToGetUserInfo, ""},
		},
	})
	a.GetAccessToken.Describe(Description{
		Summary: "Get an access token of a provider",
		Details: "A new one if it has expired and there is a refresh token. Without a session the answer is 401 without a " +
			"body.",
		Errors: map[int][]Code{
			400: {ErrAccountNotFound, ErrProviderNotSupported, ErrFailedToGetAccessToken, ErrUserIDOrSessionRequired},
			401: nil,
		},
	})
	a.RefreshToken.Describe(Description{
		Summary: "Fetch new tokens from a provider",
		Details: "Whether the old ones have expired or not. Without a session the answer is 401 without a body.",
		Errors: map[int][]Code{
			400: {ErrAccountNotFound, ErrProviderNotSupported, ErrTokenRefreshNotSupported, ErrRefreshTokenNotFound, ErrFailedToRefreshAccessToken, ErrUserIDOrSessionRequired},
			401: nil,
		},
	})
}

func (a *API) describePages() {
	a.OK.Describe(Description{
		Summary: "Tell that the server runs",
	})
	a.Error.Describe(Description{
		Summary: "Show what went wrong",
		Details: "The page for people whose link or sign-in has failed. Where the application has a page of its own, it " +
			"leads there.",
		Redirects: true,
	})
}
