package auth

// describe says what documents say of the endpoints.
func (p *TwoFactor) describe() {
	p.Enable.Describe(Description{
		Summary: "Set up a second factor",
		Details: "With the method `totp` the answer has what an authenticator app needs, and the backup codes, which are not shown " +
			"again; /two-factor/verify-totp with a first code turns the second factor on. With `otp` it is on at once. " +
			"`password` may be left out by users who have none, where the server allows that.",
		Errors: map[int][]Code{
			400: {ErrInvalidPassword, ErrPasswordTooLong, ErrTOTPAlreadyEnabled, ErrTOTPNotConfigured, ErrOTPNotConfigured, ErrFailedToUpdateUser},
			500: {ErrFailedToCreateSession},
			503: {ErrServiceOverloaded},
		},
	})
	p.Disable.Describe(Description{
		Summary: "Turn the second factor off",
		Details: "The secret and the backup codes are deleted, and the session is replaced by a new one.",
		Errors: map[int][]Code{
			400: {ErrInvalidPassword, ErrPasswordTooLong, ErrFailedToUpdateUser},
			500: {ErrFailedToCreateSession},
			503: {ErrServiceOverloaded},
		},
	})
	p.GetTOTPURI.Describe(Description{
		Summary: "Show the secret for another authenticator app",
		Errors: map[int][]Code{
			400: {ErrInvalidPassword, ErrPasswordTooLong, ErrTOTPNotEnabled, ErrTOTPNotConfigured},
			503: {ErrServiceOverloaded},
		},
	})
	p.VerifyTOTP.Describe(Description{
		Summary: "Give a code of an authenticator app",
		Details: "Ends a sign-in that asked for a second factor, by the cookie that it has sent. With a session it confirms an app " +
			"that is being set up. `trustDevice` lets the browser sign in without a second factor from then on.",
		Errors: map[int][]Code{
			400: {ErrTOTPNotEnabled, ErrTOTPNotConfigured, ErrTooManyAttemptsRequestNewCode, ErrFailedToUpdateUser},
			401: {ErrInvalidCode, ErrInvalidTwoFactorCookie},
			429: {ErrAccountTemporarilyLocked},
			500: {ErrFailedToCreateSession, ErrFailedToInvalidateTwoFactorChallenge},
		},
	})
	p.SendOTP.Describe(Description{
		Summary: "Send a code as the second factor",
		Details: "To the user who is signing in, by the cookie that the sign-in has sent, or to the one with the session.",
		Errors: map[int][]Code{
			400: {ErrOTPNotConfigured},
			401: {ErrInvalidTwoFactorCookie},
		},
	})
	p.VerifyOTP.Describe(Description{
		Summary: "Give a code that was sent",
		Details: "Ends a sign-in that asked for a second factor, by the cookie that it has sent. With a session it turns the " +
			"second factor on. `trustDevice` lets the browser sign in without a second factor from then on.",
		Errors: map[int][]Code{
			400: {ErrOTPHasExpired, ErrTooManyAttemptsRequestNewCode, ErrFailedToUpdateUser, ErrFailedToCreateSession},
			401: {ErrInvalidCode, ErrInvalidTwoFactorCookie},
			429: {ErrAccountTemporarilyLocked},
			500: {ErrFailedToCreateSession},
		},
	})
	p.VerifyBackupCode.Describe(Description{
		Summary: "Give a backup code",
		Details: "Ends a sign-in that asked for a second factor, by the cookie that it has sent. The code is used up, with " +
			"`disableSession` without signing in. Two requests that use codes up at the same moment may have to try again (409).",
		Errors: map[int][]Code{
			400: {ErrBackupCodesNotEnabled, ErrTooManyAttemptsRequestNewCode},
			401: {ErrInvalidBackupCode, ErrInvalidTwoFactorCookie},
			409: nil,
			429: {ErrAccountTemporarilyLocked},
			500: {ErrFailedToCreateSession, ErrFailedToInvalidateTwoFactorChallenge},
		},
	})
	p.GenerateBackupCodes.Describe(Description{
		Summary: "Replace the backup codes",
		Details: "The answer is the only place that shows the new ones.",
		Errors: map[int][]Code{
			400: {ErrTwoFactorNotEnabled, ErrInvalidPassword, ErrPasswordTooLong},
			503: {ErrServiceOverloaded},
		},
	})
	p.GenerateTOTP.Describe(Description{
		Summary: "Get the code that an authenticator app shows",
		Errors:  map[int][]Code{400: {ErrTOTPNotConfigured}},
	})
	p.ViewBackupCodes.Describe(Description{
		Summary: "Show the backup codes that a user has left",
		Errors:  map[int][]Code{400: {ErrBackupCodesNotEnabled, ErrInvalidBackupCode, ""}},
	})
}
