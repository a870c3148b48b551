package auth

// describe says what documents say of the endpoints.
func (u *Username) describe() {
	u.SignIn.Describe(Description{
		Summary: "Sign in with a username and a password",
		Details: "Starts a session and sends its cookie. `rememberMe` false ends it with the browser. An unknown name and a " +
			"wrong password have the same answer. With `callbackURL` the answer asks the client to go there.",
		Errors: map[int][]Code{
			400: {ErrPasswordTooLong},
			401: {ErrInvalidUsernameOrPassword},
			403: {ErrEmailNotVerified},
			422: {ErrUsernameTooShort, ErrUsernameTooLong, ErrInvalidUsername},
			500: {ErrFailedToCreateSession},
			503: {ErrServiceOverloaded},
		},
	})
	u.IsAvailable.Describe(Description{
		Summary: "Ask whether a username is free",
		Errors:  map[int][]Code{422: {ErrUsernameTooShort, ErrUsernameTooLong, ErrInvalidUsername}},
	})
}
