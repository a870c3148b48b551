package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/seed3b05b409/auth"
)

// Users sign up with a name beside their address and sign in with either.
func ExampleUsername() {
	names := &auth.Username{}
	a := withPlugin(names)
	ctx := context.Background()
	in := john
	in.Fields = map[string]any{"username": "John_Doe"}
	if _, err := a.API.SignUpEmail.Call(ctx, in); err != nil {
		panic(err)
	}
	out, err := names.SignIn.Call(ctx, auth.SignInUsernameRequest{Username: "john_doe", Password: john.Password})
	if err != nil {
		panic(err)
	}
	fmt.Println(out.User.Fields["username"], out.User.Fields["displayUsername"])
	// Output: john_doe John_Doe
}

// Whoever follows the link in the mail is signed in, as a new user if need be.
func ExampleMagicLink() {
	var mailed auth.MagicLinkMail
	links := &auth.MagicLink{Send: func(_ context.Context, mail auth.MagicLinkMail) error {
		mailed = mail
		return nil
	}}
	withPlugin(links)
	ctx, browser := context.Background(), auth.WithHeaders(http.Header{})
	if _, err := links.SignIn.Call(ctx, auth.SignInMagicLinkRequest{Email: "jane@doe.com", Name: new("Jane")}, browser); err != nil {
		panic(err)
	}
	link, err := url.Parse(mailed.URL)
	if err != nil {
		panic(err)
	}
	fmt.Println(link.Path)

	// without callbackURL the answer is the session, not a redirect
	out, err := links.Verify.Call(ctx, auth.MagicLinkVerifyRequest{Token: mailed.Token}, browser)
	if err != nil {
		panic(err)
	}
	fmt.Println(out.User.Name, out.User.EmailVerified)
	// Output:
	// /api/auth/magic-link/verify
	// Jane true
}

// A code signs in, once.
func ExampleEmailOTP() {
	var mailed auth.OTPMail
	codes := &auth.EmailOTP{Send: func(_ context.Context, mail auth.OTPMail) error {
		mailed = mail
		return nil
	}}
	withPlugin(codes)
	ctx := context.Background()
	if _, err := codes.SendVerificationOTP.Call(ctx, auth.SendVerificationOTPRequest{Email: "jane@doe.com", Type: auth.OTPSignIn}); err != nil {
		panic(err)
	}
	in := auth.SignInEmailOTPRequest{Email: mailed.Email, OTP: mailed.Code, Name: "Jane"}
	out, err := codes.SignIn.Call(ctx, in)
	if err != nil {
		panic(err)
	}
	fmt.Println(out.User.Name, len(mailed.Code))
	_, err = codes.SignIn.Call(ctx, in)
	fmt.Println(err)
	// Output:
	// Jane 6
	// auth: Invalid OTP (INVALID_OTP)
}

// Another server verifies the token with the keys at /api/auth/jwks and any JWT
// library; VerifyJWT does it here.
func ExampleJWT() {
	tokens := &auth.JWT{DefinePayload: func(_ context.Context, data *auth.SessionData) (any, error) {
		return map[string]any{"name": data.User.Name}, nil
	}}
	a := withPlugin(tokens)
	ctx := context.Background()
	var response http.Header
	if _, err := a.API.SignUpEmail.Call(ctx, john, auth.ReturnHeaders(&response)); err != nil {
		panic(err)
	}
	token, err := tokens.GetToken.Call(ctx, auth.GetTokenRequest{}, auth.WithHeaders(asBrowser(response)))
	if err != nil {
		panic(err)
	}
	out, err := tokens.VerifyJWT.Call(ctx, auth.VerifyJWTRequest{Token: token.Token})
	if err != nil {
		panic(err)
	}
	fmt.Println(out.Payload["name"], out.Payload["iss"])
	// Output: John Doe https://example.com
}
