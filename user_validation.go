package auth

import (
	"context"
	"net/http"
)

// A UserSource says how a user comes into being whom UserOptions.ValidateInfo
// judges.
type UserSource struct {
	Method string // "email-password", "oauth" or that of a plugin, such as "magic-link"
	Action string // "create-user"; with oauth also "link-account" and "sign-in"

	// ProviderID and Profile say where the user comes from and what the provider
	// says of them, with oauth.
	ProviderID string
	Profile    map[string]any
}

const (
	methodEmailPassword = "email-password"
	methodOAuth         = "oauth"
	methodEmail         = "email"        // of a SignIn
	methodSocial        = "social"       // of a SignIn
	methodVerifyEmail   = "verify-email" // of a SignIn
	methodLink          = "link"         // of an event about a link
	methodIDToken       = "id-token"     // of an event about an id_token that a client submitted
	actionCreateUser    = "create-user"
	actionLinkAccount   = "link-account"
	actionSignIn        = "sign-in"
)

// What clients see of a ValidateInfo that fails without saying what to tell them.
const (
	codeValidationFailed    Code   = "validation_failed"
	messageValidationFailed string = "User validation failed"
)

// validateUser asks the application about a user who is about to be created. A
// refusal is 403 with the keys in the original's order.
func (s *services) validateUser(ctx context.Context, user *User, source UserSource) error {
	if s.validateInfo == nil {
		return nil
	}
	err := s.validateInfo(ctx, user.clone(), source)
	if err == nil {
		return nil
	}
	refusal := NewError(http.StatusForbidden, codeValidationFailed, messageValidationFailed).WithCause(err)
	refusal.codeFirst = true
	api := apiError(clientCode(err))
	if api == nil {
		s.log.ErrorContext(ctx, "validation of a user failed", "error", err)
		return refusal
	}
	setDefault(&api.Code, codeValidationFailed)
	refusal.Code, refusal.Message = api.Code, api.Message
	setDefault(&refusal.Message, string(api.Code))
	return refusal
}
