package auth

import (
	"context"
	"net/http"
	"unicode/utf8"
)

// checkPasswordLength applies both bounds.
func (c *core) checkPasswordLength(password string) error {
	if utf16Length(password) < c.emailPassword.MinLength {
		return ErrPasswordTooShort.With(http.StatusBadRequest)
	}
	return c.checkPasswordNotTooLong(password)
}

// checkPasswordNotTooLong keeps huge inputs away from the hash.
func (c *core) checkPasswordNotTooLong(password string) error {
	if utf16Length(password) > c.emailPassword.MaxLength {
		return ErrPasswordTooLong.With(http.StatusBadRequest)
	}
	return nil
}

// checkNewPassword applies both bounds and asks the application.
func (c *core) checkNewPassword(ctx context.Context, password string) error {
	if err := c.checkPasswordLength(password); err != nil {
		return err
	}
	return c.validatePassword(ctx, password)
}

// validatePassword asks the application about a new password.
func (c *core) validatePassword(ctx context.Context, password string) error {
	if c.emailPassword.ValidatePassword == nil {
		return nil
	}
	return c.emailPassword.ValidatePassword(ctx, password)
}

// utf16Length is the length that JavaScript sees: characters beyond the basic
// plane count twice.
func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF && r != utf8.RuneError {
			n++
		}
	}
	return n
}
