package auth

// Apple returns Sign in with Apple. clientID is the Services ID; the secret is a JWT
// that expires within six months: leave it empty and let ClientSecretFunc call
// AppleClientSecret. Audiences takes the bundle ids of apps that submit id_tokens.
//
// Apple posts the callback from its own page. Browsers then withhold cookies with
// SameSite=Lax, so requests that do carry one come from an origin to be named in
// Config.TrustedOrigins: https://appleid.apple.com. It tells the user's name at the first
// sign-in only.
func Apple(clientID, clientSecret string) Provider {
	return BuiltinProvider("apple", clientID, clientSecret)
}

// Discord returns Discord. Addresses are verified or not, as it says. It does not ask
// users who have agreed before; set the parameter prompt to "consent" to change that.
// Bots take the scope bot and the parameter permissions.
func Discord(clientID, clientSecret string) Provider {
	return BuiltinProvider("discord", clientID, clientSecret)
}

// Facebook returns Facebook Login. ProfileFields takes further fields of the profile,
// the parameter config_id a configuration of Login for Business. Most profiles do not
// say whether the address was verified, which then counts as unverified.
func Facebook(clientID, clientSecret string) Provider {
	return BuiltinProvider("facebook", clientID, clientSecret)
}

// GitHub returns GitHub. The address is the public one of the profile or else the
// primary one, and verified if GitHub says so of it; a GitHub App needs the permission
// "Email addresses" for that.
func GitHub(clientID, clientSecret string) Provider {
	return BuiltinProvider("github", clientID, clientSecret)
}

// GitLab returns gitlab.com, or the server that BaseURL names. Blocked and locked users
// are refused. Addresses count as unverified unless the server says otherwise.
func GitLab(clientID, clientSecret string) Provider {
	return BuiltinProvider("gitlab", clientID, clientSecret)
}

// Google returns Google. The parameters access_type "offline" and prompt "consent" ask
// for a refresh token; hd admits the users of one Workspace domain, or of any with an
// asterisk. Audiences takes the client ids of apps that submit id_tokens, and the
// ClientID too.
func Google(clientID, clientSecret string) Provider {
	return BuiltinProvider("google", clientID, clientSecret)
}

// LinkedIn returns LinkedIn, whose product "Sign In with LinkedIn using OpenID
// Connect" the application needs.
func LinkedIn(clientID, clientSecret string) Provider {
	return BuiltinProvider("linkedin", clientID, clientSecret)
}

// Microsoft returns Microsoft Entra ID and personal accounts. Tenant narrows it to
// "organizations", "consumers" or one directory, BaseURL is the authority of another
// cloud. Users are known by the claim oid. Addresses count as verified only if an
// optional claim of the token says so: directories let their administrators write
// anything there.
func Microsoft(clientID, clientSecret string) Provider {
	return BuiltinProvider("microsoft", clientID, clientSecret)
}

// Slack returns Sign in with Slack. Users are known by their id, which is unique in
// their workspace, and have a verified address if Slack says so.
func Slack(clientID, clientSecret string) Provider {
	return BuiltinProvider("slack", clientID, clientSecret)
}

// Spotify returns Spotify. It does not verify addresses.
func Spotify(clientID, clientSecret string) Provider {
	return BuiltinProvider("spotify", clientID, clientSecret)
}

// Twitch returns Twitch. ProfileFields takes further claims of the id_token.
func Twitch(clientID, clientSecret string) Provider {
	return BuiltinProvider("twitch", clientID, clientSecret)
}

// X returns X, whose id is "twitter". Without the permission to request addresses
// users get one that does not exist.
func X(clientID, clientSecret string) Provider {
	return BuiltinProvider("twitter", clientID, clientSecret)
}
