package auth

import "net/http"

// An APIError is a failure that the caller of an endpoint is meant to see.
// Over HTTP it becomes a response with the given status, headers and the JSON
// body {"message": …, "code": …}; a direct Call returns it as its error. An
// APIError with neither message nor code has an empty body.
//
// A redirect is an APIError too, as in the original: its Status is 302 and its
// Header carries the Location, and in a direct Call the cookies set before it.
//
// Any other error that an endpoint returns is an internal error: the client
// sees status 500 with an empty body, the logger sees the error.
type APIError struct {
	Status  int         // HTTP status code
	Code    Code        // constant for programs; may be empty
	Message string      // text for people; may be empty
	Header  http.Header // additional response headers; may be nil

	cause     error
	codeFirst bool // order of the two keys in the body
}

// NewError returns an error that the client will see as the JSON body
// {"message": message, "code": code} with the given HTTP status. An empty
// message stands for the code's standard one.
func NewError(status int, code Code, message string) *APIError {
	if message == "" {
		message = code.Message()
	}
	return &APIError{Status: status, Code: code, Message: message}
}

// WithCause records why the error happened, for the log and for errors.Is. The
// cause never reaches the client. It returns e.
func (e *APIError) WithCause(err error) *APIError {
	e.cause = err
	return e
}

// Error returns the message and code for a log or a test.
func (e *APIError) Error() string {
	text := e.Message
	switch {
	case text == "" && e.Code == "":
		text = http.StatusText(e.Status)
	case text == "":
		text = string(e.Code)
	case e.Code != "":
		text += " (" + string(e.Code) + ")"
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return "auth: " + text
}

// Is reports whether target is this error's Code, so that
// errors.Is(err, auth.ErrInvalidPassword) works.
func (e *APIError) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code && code != ""
}

// Unwrap returns the cause, nil if there is none.
func (e *APIError) Unwrap() error { return e.cause }

// MarshalJSON returns the body that a client receives.
func (e *APIError) MarshalJSON() ([]byte, error) {
	type messageFirst struct {
		Message string `json:"message,omitempty"`
		Code    Code   `json:"code,omitempty"`
	}
	type codeFirst struct {
		Code    Code   `json:"code,omitempty"`
		Message string `json:"message,omitempty"`
	}
	if e.codeFirst {
		return appendMarshal(nil, codeFirst{e.Code, e.Message})
	}
	return appendMarshal(nil, messageFirst{e.Message, e.Code})
}

func (e *APIError) empty() bool { return e.Message == "" && e.Code == "" }

// A Code names a failure in its wire spelling. Codes are constants and
// implement error, so that they can be targets of errors.Is; an endpoint or a
// hook that returns a bare Code answers 400 with the code's message.
type Code string

// Error returns the code in its wire spelling.
func (c Code) Error() string { return string(c) }

// Message returns the standard text for the code, empty if it has none.
func (c Code) Message() string { return codeMessages[c] }

// With returns the code and its standard message as an APIError.
func (c Code) With(status int) *APIError { return NewError(status, c, "") }

// Error codes of the core, all that the original has (contract section 2.3).
const (
	ErrUserNotFound                         Code = "USER_NOT_FOUND"
	ErrFailedToCreateUser                   Code = "FAILED_TO_CREATE_USER"
	ErrFailedToCreateSession                Code = "FAILED_TO_CREATE_SESSION"
	ErrFailedToUpdateUser                   Code = "FAILED_TO_UPDATE_USER"
	ErrFailedToGetSession                   Code = "FAILED_TO_GET_SESSION"
	ErrInvalidPassword                      Code = "INVALID_PASSWORD"
	ErrInvalidEmail                         Code = "INVALID_EMAIL"
	ErrInvalidEmailOrPassword               Code = "INVALID_EMAIL_OR_PASSWORD"
	ErrInvalidUser                          Code = "INVALID_USER"
	ErrSocialAccountAlreadyLinked           Code = "SOCIAL_ACCOUNT_ALREADY_LINKED"
	ErrProviderNotFound                     Code = "PROVIDER_NOT_FOUND"
	ErrInvalidToken                         Code = "INVALID_TOKEN"
	ErrTokenExpired                         Code = "TOKEN_EXPIRED"
	ErrIDTokenNotSupported                  Code = "ID_TOKEN_NOT_SUPPORTED"
	ErrFailedToGetUserInfo                  Code = "FAILED_TO_GET_USER_INFO"
	ErrUserEmailNotFound                    Code = "USER_EMAIL_NOT_FOUND"
	ErrEmailNotVerified                     Code = "EMAIL_NOT_VERIFIED"
	ErrPasswordTooShort                     Code = "PASSWORD_TOO_SHORT"
	ErrPasswordTooLong                      Code = "PASSWORD_TOO_LONG"
	ErrUserAlreadyExists                    Code = "USER_ALREADY_EXISTS"
	ErrUserAlreadyExistsUseAnotherEmail     Code = "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"
	ErrEmailCanNotBeUpdated                 Code = "EMAIL_CAN_NOT_BE_UPDATED"
	ErrChangeEmailDisabled                  Code = "CHANGE_EMAIL_DISABLED"
	ErrCredentialAccountNotFound            Code = "CREDENTIAL_ACCOUNT_NOT_FOUND"
	ErrSessionExpired                       Code = "SESSION_EXPIRED"
	ErrFailedToUnlinkLastAccount            Code = "FAILED_TO_UNLINK_LAST_ACCOUNT"
	ErrAccountNotFound                      Code = "ACCOUNT_NOT_FOUND"
	ErrUserAlreadyHasPassword               Code = "USER_ALREADY_HAS_PASSWORD"
	ErrCrossSiteNavigationLoginBlocked      Code = "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"
	ErrVerificationEmailNotEnabled          Code = "VERIFICATION_EMAIL_NOT_ENABLED"
	ErrEmailAlreadyVerified                 Code = "EMAIL_ALREADY_VERIFIED"
	ErrEmailMismatch                        Code = "EMAIL_MISMATCH"
	ErrSessionNotFresh                      Code = "SESSION_NOT_FRESH"
	ErrLinkedAccountAlreadyExists           Code = "LINKED_ACCOUNT_ALREADY_EXISTS"
	ErrOAuthLink                            Code = "OAUTH_LINK_ERROR"
	ErrLinkingNotAllowed                    Code = "LINKING_NOT_ALLOWED"
	ErrLinkingDifferentEmailsNotAllowed     Code = "LINKING_DIFFERENT_EMAILS_NOT_ALLOWED"
	ErrLinkingFailed                        Code = "LINKING_FAILED"
	ErrInvalidOrigin                        Code = "INVALID_ORIGIN"
	ErrInvalidCallbackURL                   Code = "INVALID_CALLBACK_URL"
	ErrInvalidRedirectURL                   Code = "INVALID_REDIRECT_URL"
	ErrInvalidErrorCallbackURL              Code = "INVALID_ERROR_CALLBACK_URL"
	ErrInvalidNewUserCallbackURL            Code = "INVALID_NEW_USER_CALLBACK_URL"
	ErrMissingOrNullOrigin                  Code = "MISSING_OR_NULL_ORIGIN"
	ErrCallbackURLRequired                  Code = "CALLBACK_URL_REQUIRED"
	ErrFailedToCreateVerification           Code = "FAILED_TO_CREATE_VERIFICATION"
	ErrFieldNotAllowed                      Code = "FIELD_NOT_ALLOWED"
	ErrAsyncValidationNotSupported          Code = "ASYNC_VALIDATION_NOT_SUPPORTED"
	ErrValidation                           Code = "VALIDATION_ERROR"
	ErrMissingField                         Code = "MISSING_FIELD"
	ErrMethodNotAllowedDeferSessionRequired Code = "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED"
	ErrBodyMustBeAnObject                   Code = "BODY_MUST_BE_AN_OBJECT"
	ErrPasswordAlreadySet                   Code = "PASSWORD_ALREADY_SET"
	ErrUnauthorized                         Code = "UNAUTHORIZED"
	ErrNotFound                             Code = "NOT_FOUND"
	ErrEmailPasswordSignUpDisabled          Code = "EMAIL_PASSWORD_SIGN_UP_DISABLED"
	ErrEmailPasswordDisabled                Code = "EMAIL_PASSWORD_DISABLED"
	ErrResetPasswordDisabled                Code = "RESET_PASSWORD_DISABLED"
	ErrUserIDOrSessionRequired              Code = "USER_ID_OR_SESSION_REQUIRED"
	ErrProviderNotSupported                 Code = "PROVIDER_NOT_SUPPORTED"
	ErrProviderNotConfigured                Code = "PROVIDER_NOT_CONFIGURED"
	ErrTokenRefreshNotSupported             Code = "TOKEN_REFRESH_NOT_SUPPORTED"
	ErrRefreshTokenNotFound                 Code = "REFRESH_TOKEN_NOT_FOUND"
	ErrAccessTokenNotFound                  Code = "ACCESS_TOKEN_NOT_FOUND"
	ErrFailedToGetAccessToken               Code = "FAILED_TO_GET_ACCESS_TOKEN"
	ErrFailedToRefreshAccessToken           Code = "FAILED_TO_REFRESH_ACCESS_TOKEN"
	ErrInternalServerError                  Code = "INTERNAL_SERVER_ERROR"
	ErrUnsupportedMediaType                 Code = "UNSUPPORTED_MEDIA_TYPE"
	ErrBadRequest                           Code = "BAD_REQUEST"
)

// Codes that only this implementation sends (docs/differences.md).
const (
	ErrPayloadTooLarge   Code = "PAYLOAD_TOO_LARGE"
	ErrServiceOverloaded Code = "SERVICE_OVERLOADED"
)

var codeMessages = map[Code]string{
	ErrUserNotFound:                         "User not found",
	ErrFailedToCreateUser:                   "Failed to create user",
	ErrFailedToCreateSession:                "Failed to create session",
	ErrFailedToUpdateUser:                   "Failed to update user",
	ErrFailedToGetSession:                   "Failed to get session",
	ErrInvalidPassword:                      "Invalid password",
	ErrInvalidEmail:                         "Invalid email",
	ErrInvalidEmailOrPassword:               "Invalid email or password",
	ErrInvalidUser:                          "Invalid user",
	ErrSocialAccountAlreadyLinked:           "Social account already linked",
	ErrProviderNotFound:                     "Provider not found",
	ErrInvalidToken:                         "Invalid token",
	ErrTokenExpired:                         "Token expired",
	ErrIDTokenNotSupported:                  "id_token not supported",
	ErrFailedToGetUserInfo:                  "Failed to get user info",
	ErrUserEmailNotFound:                    "User email not found",
	ErrEmailNotVerified:                     "Email not verified",
	ErrPasswordTooShort:                     "Password too short",
	ErrPasswordTooLong:                      "Password too long",
	ErrUserAlreadyExists:                    "User already exists.",
	ErrUserAlreadyExistsUseAnotherEmail:     "User already exists. Use another email.",
	ErrEmailCanNotBeUpdated:                 "Email can not be updated",
	ErrChangeEmailDisabled:                  "Change email is disabled",
	ErrCredentialAccountNotFound:            "Credential account not found",
	ErrSessionExpired:                       "Session expired. Re-authenticate to perform this action.",
	ErrFailedToUnlinkLastAccount:            "You can't unlink your last account",
	ErrAccountNotFound:                      "Account not found",
	ErrUserAlreadyHasPassword:               "User already has a password. Provide that to delete the account.",
	ErrCrossSiteNavigationLoginBlocked:      "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
	ErrVerificationEmailNotEnabled:          "Verification email isn't enabled",
	ErrEmailAlreadyVerified:                 "Email is already verified",
	ErrEmailMismatch:                        "Email mismatch",
	ErrSessionNotFresh:                      "Session is not fresh",
	ErrLinkedAccountAlreadyExists:           "Linked account already exists",
	ErrLinkingNotAllowed:                    "Account not linked - linking not allowed",
	ErrLinkingDifferentEmailsNotAllowed:     "Account not linked - different emails not allowed",
	ErrLinkingFailed:                        "Account not linked - unable to create account",
	ErrInvalidOrigin:                        "Invalid origin",
	ErrInvalidCallbackURL:                   "Invalid callbackURL",
	ErrInvalidRedirectURL:                   "Invalid redirectURL",
	ErrInvalidErrorCallbackURL:              "Invalid errorCallbackURL",
	ErrInvalidNewUserCallbackURL:            "Invalid newUserCallbackURL",
	ErrMissingOrNullOrigin:                  "Missing or null Origin",
	ErrCallbackURLRequired:                  "callbackURL is required",
	ErrFailedToCreateVerification:           "Unable to create verification",
	ErrFieldNotAllowed:                      "Field not allowed to be set",
	ErrAsyncValidationNotSupported:          "Async validation is not supported",
	ErrValidation:                           "Validation Error",
	ErrMissingField:                         "Field is required",
	ErrMethodNotAllowedDeferSessionRequired: "POST method requires deferSessionRefresh to be enabled in session config",
	ErrBodyMustBeAnObject:                   "Body must be an object",
	ErrPasswordAlreadySet:                   "User already has a password set",
	ErrUnauthorized:                         "Unauthorized",
	ErrNotFound:                             "Not found",
	ErrEmailPasswordSignUpDisabled:          "Email and password sign up is not enabled",
	ErrEmailPasswordDisabled:                "Email and password is not enabled",
	ErrResetPasswordDisabled:                "Reset password isn't enabled",
	ErrUserIDOrSessionRequired:              "Either userId or session is required",
	ErrProviderNotConfigured:                "Account is not associated with a configured social provider.",
	ErrRefreshTokenNotFound:                 "Refresh token not found",
	ErrAccessTokenNotFound:                  "Access token not found",
	ErrFailedToGetAccessToken:               "Failed to get a valid access token",
	ErrFailedToRefreshAccessToken:           "Failed to refresh access token",
	ErrInternalServerError:                  "Internal Server Error",
	ErrPayloadTooLarge:                      "Request body is too large",
	ErrServiceOverloaded:                    "Too many passwords are being checked at once. Please try again later.",
}
