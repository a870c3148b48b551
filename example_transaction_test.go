package auth_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed3b05b409/auth"
)

var errNoSeats = errors.New("the team is full")

// Several calls are stored together or not at all.
func ExampleAuth_Transaction() {
	a := newAuth()
	ctx := context.Background()
	err := a.Transaction(ctx, func(ctx context.Context) error {
		if _, err := a.API.SignUpEmail.Call(ctx, john); err != nil {
			return err
		}
		return errNoSeats // undoes the sign-up
	})
	fmt.Println(err)

	_, err = a.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: john.Email, Password: john.Password})
	fmt.Println("has an account:", err == nil)
	// Output:
	// the team is full
	// has an account: false
}
