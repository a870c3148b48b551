package conformancetest

import "github.com/seed3b05b409/auth"

// callbackVariants have callbacks that record what they get, refuse or fail, and
// senders of mail that do.
var callbackVariants = []*variant{
	callbacks("callbacks", "told", "told"),
	callbacks("callbacks-refuse", "refused", "refused"),
	callbacks("callbacks-fail", "failed", "failed"),
	callbacks("callbacks-after-refuse", "told", "refused"),
	callbacks("callbacks-after-fail", "told", "failed"),
	senders("mail-refused", "refused"),
	senders("mail-failed", "failed"),
}

// callbacks has those before something is done come to an end in one way and those
// after it in another.
func callbacks(name, before, after string) *variant {
	return &variant{
		name: name,
		options: object{
			"emailAndPassword": object{"onPasswordReset": "$" + after + " onPasswordReset"},
			"emailVerification": object{
				"autoSignInAfterVerification": true,
				"beforeEmailVerification":     "$" + before + " beforeEmailVerification",
				"afterEmailVerification":      "$" + after + " afterEmailVerification",
			},
			"user": object{"deleteUser": object{
				"beforeDelete": "$" + before + " beforeDelete",
				"afterDelete":  "$" + after + " afterDelete",
			}},
		},
		config: func(c *auth.Config, o *ours) {
			c.EmailPassword.OnPasswordReset = o.callback("onPasswordReset", after)
			c.EmailVerification.AutoSignIn = true
			c.EmailVerification.BeforeVerification = o.callback("beforeEmailVerification", before)
			c.EmailVerification.AfterVerification = o.callback("afterEmailVerification", after)
			c.User.Delete.BeforeDelete = o.callback("beforeDelete", before)
			c.User.Delete.AfterDelete = o.callback("afterDelete", after)
		},
	}
}

// senders has every mail come to an end in one way.
func senders(name, end string) *variant {
	return &variant{
		name: name,
		options: object{
			"emailAndPassword":  object{"sendResetPassword": "$" + end + " reset"},
			"emailVerification": object{"sendVerificationEmail": "$" + end + " verification", "sendOnSignUp": true},
			"user": object{
				"changeEmail": object{"sendChangeEmailConfirmation": "$" + end + " confirmation"},
				"deleteUser":  object{"sendDeleteAccountVerification": "$" + end + " deletion"},
			},
		},
		config: func(c *auth.Config, o *ours) {
			c.EmailPassword.SendResetPassword = o.sender("reset", end)
			c.EmailVerification.Send, c.EmailVerification.SendOnSignUp = o.sender("verification", end), true
			c.User.ChangeEmail.SendConfirmation = o.sender("confirmation", end)
			c.User.Delete.SendVerification = o.sender("deletion", end)
		},
	}
}
