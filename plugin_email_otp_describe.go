package auth

// describe says what documents say of the endpoints. Those that send codes answer 400
// without a code where EmailOTP.Send is missing.
func (e *EmailOTP) describe() {
	e.SendVerificationOTP.Describe(Description{
		Summary: "Send a code to an address",
		Details: "The answer is the same for every address. Codes of the type `change-email` are sent by " +
			"/email-otp/request-email-change.",
		Errors: map[int][]Code{400: {ErrInvalidEmail, ""}},
	})
	e.CheckVerificationOTP.Describe(Description{
		Summary: "Check a code and keep it",
		Details: "A right code stays good. A wrong one counts; after too many the code is gone.",
		Errors: map[int][]Code{
			400: {ErrInvalidOTP, ErrOTPExpired, ErrInvalidEmail, ErrUserNotFound},
			403: {ErrTooManyAttempts},
		},
	})
	e.VerifyEmail.Describe(Description{
		Summary: "Verify an address with a code",
		Details: "Where the server is configured so, the user is signed in too, and `token` is that of the session.",
		Errors: map[int][]Code{
			400: {ErrInvalidOTP, ErrOTPExpired, ErrInvalidEmail, ErrUserNotFound},
			403: {ErrTooManyAttempts},
		},
	})
	e.SignIn.Describe(Description{
		Summary: "Sign in, or up, with a code",
		Details: "An unknown address makes a new user with `name`, `image` and the values of additional user columns, unless " +
			"the server has no sign-up.",
		Errors: map[int][]Code{
			400: {ErrInvalidOTP, ErrOTPExpired, ErrMissingField, ErrFieldNotAllowed},
			403: {ErrTooManyAttempts, "validation_failed"},
			422: {ErrFailedToCreateUser},
		},
	})
	e.RequestPasswordReset.Describe(Description{
		Summary: "Send a code to choose a new password",
		Details: "The answer is the same for every address.",
		Errors:  map[int][]Code{400: {ErrInvalidEmail, ""}},
	})
	e.ForgetPassword.Describe(Description{
		Summary: "Send a code to choose a new password (older name)",
		Details: "The same as /email-otp/request-password-reset.",
		Errors:  map[int][]Code{400: {ErrInvalidEmail, ""}},
	})
	e.ResetPassword.Describe(Description{
		Summary: "Choose a new password with a code",
		Errors: map[int][]Code{
			400: {ErrInvalidOTP, ErrOTPExpired, ErrInvalidEmail, ErrUserNotFound, ErrPasswordTooShort, ErrPasswordTooLong},
			403: {ErrTooManyAttempts},
			503: {ErrServiceOverloaded},
		},
	})
	e.RequestEmailChange.Describe(Description{
		Summary: "Send a code to the address that the user wants to have",
		Details: "The answer is the same for an address that somebody else has. `otp` is a code of the type " +
			"`email-verification` for the current address, where the server asks for that.",
		Errors: map[int][]Code{
			400: {ErrInvalidEmail, ErrInvalidOTP, ErrOTPExpired, ""},
			403: {ErrTooManyAttempts},
		},
	})
	e.ChangeEmail.Describe(Description{
		Summary: "Change the user's address with a code",
		Details: "The code is the one that the new address got. The address is verified then.",
		Errors: map[int][]Code{
			400: {ErrInvalidOTP, ErrOTPExpired, ErrInvalidEmail, ErrUserNotFound, ""},
			403: {ErrTooManyAttempts},
		},
	})
	e.CreateVerificationOTP.Describe(Description{
		Summary: "Make a code and return it",
		Errors:  map[int][]Code{400: {ErrInvalidEmail}},
	})
	e.GetVerificationOTP.Describe(Description{
		Summary: "Get the code that is stored for an address",
		Details: "`otp` is null if there is none that is good.",
		Errors:  map[int][]Code{400: nil},
	})
}
