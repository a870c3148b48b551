package conformancetest

import "github.com/seed3b05b409/auth"

// signVariants are about pages of errors and what surrounds signing up and in.
var signVariants = []*variant{
	{
		name:    "error-url",
		options: object{"onAPIError": object{"errorURL": "/oops?x=1#top"}},
		config:  func(c *auth.Config, _ *ours) { c.ErrorPage.URL = "/oops?x=1#top" },
	},
	{
		name:    "error-page", // the original shows it in production when asked to
		options: object{"onAPIError": object{"customizeDefaultErrorPage": object{}}},
	},
}
