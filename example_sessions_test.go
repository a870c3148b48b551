package auth_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/seed3b05b409/auth"
)

// device is a browser: it keeps the cookies of a sign-in.
func device(a *auth.Auth, agent string) http.Header {
	var sent http.Header
	_, err := a.API.SignInEmail.Call(context.Background(),
		auth.SignInEmailRequest{Email: john.Email, Password: john.Password},
		auth.WithHeaders(http.Header{"User-Agent": {agent}}), auth.ReturnHeaders(&sent))
	if err != nil {
		panic(err)
	}
	cookie, err := http.ParseSetCookie(sent.Get("Set-Cookie"))
	if err != nil {
		panic(err)
	}
	return http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}, "User-Agent": {agent}}
}

// A user sees where they are signed in, and ends all sessions but this one.
func Example_devices() {
	a := newAuth()
	ctx := context.Background()
	if _, err := a.API.SignUpEmail.Call(ctx, john); err != nil {
		panic(err)
	}
	phone, laptop := device(a, "phone"), device(a, "laptop")

	sessions, err := a.API.ListSessions.Call(ctx, auth.Empty{}, auth.WithHeaders(laptop))
	if err != nil {
		panic(err)
	}
	fmt.Println(len(sessions), "sessions, the last one on a", *sessions[len(sessions)-1].UserAgent)

	if _, err := a.API.RevokeOtherSessions.Call(ctx, auth.Empty{}, auth.WithHeaders(laptop)); err != nil {
		panic(err)
	}
	for _, headers := range []http.Header{phone, laptop} {
		session, err := a.API.GetSession.Call(ctx, auth.GetSessionRequest{}, auth.WithHeaders(headers))
		if err != nil {
			panic(err)
		}
		fmt.Println(headers.Get("User-Agent"), "is signed in:", session != nil)
	}
	// Output:
	// 3 sessions, the last one on a laptop
	// phone is signed in: false
	// laptop is signed in: true
}
