package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed3b05b409/auth"
)

// validNickname judges what a client sends.
func validNickname(value any) error {
	if name, _ := value.(string); strings.ContainsAny(name, " @") {
		return errors.New("no spaces, no @")
	}
	return nil
}

// Users have columns of the application's own: one that they choose, and one that only
// the server sets.
func Example_columns() {
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		User: auth.UserOptions{Fields: []auth.Column{
			{Name: "nickname", Type: auth.TypeString, Nullable: true, Optional: true, Unique: true, Validate: validNickname},
			{Name: "plan", Type: auth.TypeString, ServerOnly: true, Default: func() any { return "free" }},
		}},
	})
	if err != nil {
		panic(err)
	}
	in := john
	in.Fields = map[string]any{"nickname": "jd"}
	out, err := a.API.SignUpEmail.Call(context.Background(), in)
	if err != nil {
		panic(err)
	}
	fmt.Println(out.User.Fields["nickname"], out.User.Fields["plan"])

	in.Email, in.Fields = "jane@doe.com", map[string]any{"nickname": "j d"}
	_, err = a.API.SignUpEmail.Call(context.Background(), in)
	fmt.Println(err)
	// Output:
	// jd free
	// auth: no spaces, no @ (VALIDATION_ERROR): no spaces, no @
}
