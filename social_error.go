package auth

import "strings"

// A socialError is why a sign-in at a provider came to nothing here, in the words
// of the wire.
type socialError string

const (
	failureNotLinked   socialError = "account not linked"
	failureLink        socialError = "unable to link account"
	failureUpdate      socialError = "unable to update account"
	failureSignUp      socialError = "signup disabled"
	failureCreate      socialError = "unable to create user"
	failureSession     socialError = "unable to create session"
	failureNotVerified socialError = "email_not_verified"
)

func (e socialError) Error() string { return "auth: sign-in at a provider: " + string(e) }

// code is the failure in the query of an error page.
func (e socialError) code() Code { return Code(strings.ReplaceAll(string(e), " ", "_")) }
