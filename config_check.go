package auth

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// check returns all mistakes that do not show when the parts are made.
func (c *Config) check() error {
	var errs []error
	errs = append(errs, checkSecrets("Config", c.Secret, c.Secrets), c.checkStore(), c.Session.CookieCache.check(c.Stateless), c.Cookies.check())
	if c.IDs == IDSerial && c.NewID != nil {
		errs = append(errs, errors.New("auth: Config.NewID makes ids, IDSerial leaves that to the store"))
	}
	if c.MaxBodyBytes < 0 {
		errs = append(errs, errors.New("auth: Config.MaxBodyBytes is negative"))
	}
	if p := c.EmailPassword.withDefaults(); p.MinLength < 1 || p.MaxLength < p.MinLength {
		errs = append(errs, fmt.Errorf("auth: Config.EmailPassword: no password has between %d and %d characters", p.MinLength, p.MaxLength))
	}
	if c.EmailPassword.RequireEmailVerification && c.EmailVerification.Send == nil {
		errs = append(errs, errors.New("auth: Config.EmailPassword.RequireEmailVerification needs EmailVerification.Send"))
	}
	if c.Session.RefreshAlways && c.Session.NeverRefresh {
		errs = append(errs, errors.New("auth: Config.Session is both RefreshAlways and NeverRefresh"))
	}
	if v := &c.EmailVerification; v.SendOnSignUp && v.NoSendOnSignUp {
		errs = append(errs, errors.New("auth: Config.EmailVerification is both SendOnSignUp and NoSendOnSignUp"))
	}
	if c.RateLimit.Storage != nil && c.RateLimit.StoreInDatabase {
		errs = append(errs, errors.New("auth: Config.RateLimit has both Storage and StoreInDatabase"))
	}
	switch c.Account.State {
	case "", StateInCookie, StateInDatabase:
	default:
		errs = append(errs, fmt.Errorf("auth: Config.Account.State is %q; want database or cookie", c.Account.State))
	}
	errs = append(errs, c.checkSecondaryStorage())
	for _, path := range c.DisabledPaths {
		if !strings.HasPrefix(path, "/") {
			errs = append(errs, fmt.Errorf("auth: Config.DisabledPaths: %q does not begin with a slash", path))
		}
	}
	return errors.Join(append(errs, c.checkTimes())...)
}

// checkStore wants one place for users and sessions.
func (c *Config) checkStore() error {
	switch {
	case c.Store == nil && !c.Stateless:
		return errors.New("auth: Config.Store is missing")
	case c.Stateless && (c.Store != nil || c.SecondaryStorage != nil):
		return errors.New("auth: Config.Stateless stores nothing: it has no Store and no SecondaryStorage")
	}
	return nil
}

// checkSecondaryStorage refuses what a secondary storage would be needed for, or
// a better one.
func (c *Config) checkSecondaryStorage() error {
	var errs [2]error
	if c.Session.PreserveInDatabase && (c.SecondaryStorage == nil || !c.Session.StoreInDatabase) {
		errs[0] = errors.New("auth: Config.Session.PreserveInDatabase needs SecondaryStorage and Session.StoreInDatabase")
	}
	_, takes := c.SecondaryStorage.(SecondaryTaker)
	if c.SecondaryStorage != nil && !takes && !c.Verification.StoreInDatabase {
		errs[1] = errors.New("auth: Config.SecondaryStorage cannot redeem verifications, it is no SecondaryTaker: set Verification.StoreInDatabase")
	}
	return errors.Join(errs[:]...)
}

// checkTimes refuses negative durations.
func (c *Config) checkTimes() error {
	var errs []error
	for _, option := range []struct {
		name  string
		value time.Duration
	}{
		{"Session.ExpiresIn", c.Session.ExpiresIn},
		{"Session.UpdateAge", c.Session.UpdateAge},
		{"Session.MaxLifetime", c.Session.MaxLifetime},
		{"Session.FreshAge", c.Session.FreshAge},
		{"Session.CookieCache.MaxAge", c.Session.CookieCache.MaxAge},
		{"Session.CookieCache.RenewAge", c.Session.CookieCache.RenewAge},
		{"EmailPassword.ResetPasswordExpiresIn", c.EmailPassword.ResetPasswordExpiresIn},
		{"EmailVerification.ExpiresIn", c.EmailVerification.ExpiresIn},
		{"User.Delete.TokenExpiresIn", c.User.Delete.TokenExpiresIn},
	} {
		if option.value < 0 {
			errs = append(errs, fmt.Errorf("auth: Config.%s is negative", option.name))
		}
	}
	return errors.Join(errs...)
}
