package main

import "github.com/seed3b05b409/auth"

// plugins are the parts of package auth that the site adds to the core. Their
// endpoints are there when auth.New has returned.
type plugins struct {
	username  *auth.Username
	magicLink *auth.MagicLink
	twoFactor *auth.TwoFactor
}

func newPlugins(mails *outbox) plugins {
	return plugins{
		username: &auth.Username{},
		magicLink: &auth.MagicLink{
			Send:       mails.signInLink,
			StoreToken: auth.HashIdentifier,
		},
		twoFactor: &auth.TwoFactor{
			Issuer:            "Example",
			AllowPasswordless: true, // users of providers and links want it as much
			Everywhere:        true,
			Page:              secondStepPath + appCode, // for those who come by a link
			PreventReplay:     true,
			// Codes by mail are for who has left the phone at home. After a link in a
			// mail they add nothing: both prove the same mailbox.
			OTP: auth.TwoFactorOTPOptions{
				Send:    mails.signInCode,
				Storage: auth.OTPStorage{Form: auth.EncryptedOTP},
			},
		},
	}
}

// all are the plugins as a configuration takes them.
func (p plugins) all() []auth.Plugin {
	return []auth.Plugin{p.username, p.magicLink, p.twoFactor}
}
