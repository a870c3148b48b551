package auth

// Codes in the query of the page that a failed sign-in at a provider ends on
// (?error=…). Providers, hooks and UserOptions.ValidateInfo add codes of their own.
const (
	CallbackStateNotFound       Code = "state_not_found"          // the provider sent no state
	CallbackStateMismatch       Code = "state_mismatch"           // the flow is over, or belongs to another browser or provider
	CallbackStateInvalid        Code = "state_invalid"            // the cookie with the flow cannot be read
	CallbackInternalError       Code = "internal_server_error"    // the flow or the account could not be read
	CallbackNoCode              Code = "no_code"                  // the provider sent neither code nor error
	CallbackProviderNotFound    Code = "oauth_provider_not_found" // it is not configured, or its metadata cannot be read
	CallbackIssuerMissing       Code = "issuer_missing"           // RFC 9207
	CallbackIssuerMismatch      Code = "issuer_mismatch"          // RFC 9207
	CallbackNonceMissing        Code = "nonce_binding_missing"    // the flow has no nonce and the provider needs one
	CallbackInvalidCode         Code = "invalid_code"             // the provider did not take the code
	CallbackNoUser              Code = "unable_to_get_user_info"  // the provider's profile or id_token cannot be had or believed
	CallbackNoCallbackURL       Code = "no_callback_url"          // the flow does not say where it ends
	CallbackEmailNotFound       Code = "email_not_found"          // the provider tells no address
	CallbackEmailNotVerified    Code = "email_not_verified"       // Provider.RequireEmailVerification
	CallbackSignUpDisabled      Code = "signup_disabled"          // the user is new and may not be
	CallbackAccountNotLinked    Code = "account_not_linked"       // somebody has the address already, see AccountLinking
	CallbackUnableToLink        Code = "unable_to_link_account"   // linking is forbidden, or the session that asked for it has ended
	CallbackUnableToUpdate      Code = "unable_to_update_account" // new tokens or a new profile cannot be stored
	CallbackUnableToCreateUser  Code = "unable_to_create_user"    // the user cannot be stored
	CallbackUnableToStart       Code = "unable_to_create_session" // a hook refused the session
	CallbackOtherEmail          Code = "email_does_not_match"     // AccountLinking.DifferentEmails
	CallbackLinkedToAnotherUser Code = "account_already_linked_to_different_user"
)
