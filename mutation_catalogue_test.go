package auth

// A validRequest is one that an endpoint answers as it should, in a mutationWorld.
type validRequest struct {
	op, method string
	as         string // whose Cookie header
	input      string // JSON object; for a GET and in a path its members become texts
	want       int
}

// validRequests has one for each method of every endpoint that has a URL.
var validRequests = []validRequest{
	{"ok", "GET", "", `{}`, 200},
	{"error", "GET", "", `{"error":"access_denied","error_description":"The user said no"}`, 200},
	{"signUpEmail", "POST", "", `{"name":"New","email":"fresh@example.com","password":"a password","username":"fresh","image":"https://i.example/a.png","rememberMe":false,"callbackURL":"/in"}`, 200},
	{"signInEmail", "POST", "", `{"email":"ann@example.com","password":"password of ann","rememberMe":true,"callbackURL":"/in"}`, 200},
	{"signInEmail", "POST", "", `{"email":"dan@example.com","password":"password of dan"}`, 200},
	{"signInUsername", "POST", "", `{"username":"ann_","password":"password of ann","callbackURL":"/in"}`, 200},
	{"signInSocial", "POST", "", `{"provider":"acme","callbackURL":"/in","errorCallbackURL":"/oops","newUserCallbackURL":"/new","scopes":["mail"],"loginHint":"ann","requestSignUp":true,"additionalParams":{"prompt":"login"}}`, 200},
	{"callbackOAuth", "GET", "flow", `{"id":"acme","code":"cat at acme","state":"$state"}`, 302},
	{"callbackOAuth", "POST", "flow", `{"id":"acme","code":"cat at acme","state":"$state"}`, 302},
	{"linkSocialAccount", "POST", "ann", `{"provider":"acme","callbackURL":"/in","errorCallbackURL":"/oops","scopes":["mail"]}`, 200},
	{"signOut", "POST", "ann", `{}`, 200},
	{"getSession", "GET", "ann", `{"disableCookieCache":"true"}`, 200},
	{"getSession", "GET", "ann's other", `{}`, 200},
	{"getSession", "POST", "ann", `{}`, 405},
	{"updateSession", "POST", "ann", `{"theme":"dark"}`, 200},
	{"listSessions", "GET", "ann", `{}`, 200},
	{"revokeSession", "POST", "ann", `{"token":"$session"}`, 200},
	{"revokeSessions", "POST", "ann", `{}`, 200},
	{"revokeOtherSessions", "POST", "ann", `{}`, 200},
	{"requestPasswordReset", "POST", "", `{"email":"ann@example.com","redirectTo":"/reset"}`, 200},
	{"requestPasswordResetCallback", "GET", "", `{"token":"$reset","callbackURL":"/reset"}`, 302},
	{"resetPassword", "POST", "", `{"newPassword":"another password","token":"$reset"}`, 200},
	{"verifyPassword", "POST", "ann", `{"password":"password of ann"}`, 200},
	{"changePassword", "POST", "ann", `{"newPassword":"another password","currentPassword":"password of ann","revokeOtherSessions":true}`, 200},
	{"sendVerificationEmail", "POST", "", `{"email":"ann@example.com","callbackURL":"/in"}`, 200},
	{"verifyEmail", "GET", "", `{"token":"$verify","callbackURL":"/in"}`, 302},
	{"updateUser", "POST", "ann", `{"name":"Annie","image":null,"username":"annie","displayUsername":"Annie"}`, 200},
	{"changeEmail", "POST", "ann", `{"newEmail":"annie@example.com","callbackURL":"/in"}`, 200},
	{"deleteUser", "POST", "ann", `{"password":"password of ann","callbackURL":"/bye"}`, 200},
	{"deleteUserCallback", "GET", "ann", `{"token":"$delete","callbackURL":"/bye"}`, 302},
	{"listUserAccounts", "GET", "ann", `{}`, 200},
	{"unlinkAccount", "POST", "ann", `{"accountId":"$account"}`, 200},
	{"accountInfo", "GET", "ann", `{"accountId":"$account"}`, 200},
	{"getAccessToken", "POST", "ann", `{"accountId":"$account"}`, 200},
	{"refreshToken", "POST", "ann", `{"accountId":"$account"}`, 200},
	{"enableTwoFactor", "POST", "ann", `{"password":"password of ann","issuer":"Acme"}`, 200},
	{"disableTwoFactor", "POST", "dan", `{"password":"password of dan"}`, 200},
	{"getTOTPURI", "POST", "dan", `{"password":"password of dan"}`, 200},
	{"generateBackupCodes", "POST", "dan", `{"password":"password of dan"}`, 200},
	{"verifyTOTP", "POST", "half dan", `{"code":"$totp","trustDevice":true}`, 200},
	{"sendTwoFactorOTP", "POST", "half dan", `{}`, 200},
	{"verifyTwoFactorOTP", "POST", "half dan", `{"code":"$factor","trustDevice":true}`, 200},
	{"verifyBackupCode", "POST", "half dan", `{"code":"$backup","trustDevice":true,"disableSession":false}`, 200},
	{"isUsernameAvailable", "POST", "", `{"username":"ann_"}`, 200},
	{"getJwks", "GET", "", `{}`, 200},
	{"getToken", "GET", "ann", `{}`, 200},
	{"listDeviceSessions", "GET", "ann", `{}`, 200},
	{"setActiveSession", "POST", "ann", `{"sessionToken":"$session"}`, 200},
	{"revokeDeviceSession", "POST", "ann", `{"sessionToken":"$session"}`, 200},
	{"generateOneTimeToken", "GET", "ann", `{}`, 200},
	{"verifyOneTimeToken", "POST", "", `{"token":"$ott"}`, 200},
	{"sendVerificationOTP", "POST", "", `{"email":"ann@example.com","type":"sign-in"}`, 200},
	{"checkVerificationOTP", "POST", "", `{"email":"ann@example.com","type":"sign-in","otp":"$otpSignIn"}`, 200},
	{"verifyEmailOTP", "POST", "", `{"email":"ann@example.com","otp":"$otpVerify"}`, 200},
	{"signInEmailOTP", "POST", "", `{"email":"ann@example.com","otp":"$otpSignIn"}`, 200},
	{"signInEmailOTP", "POST", "", `{"email":"new@example.com","otp":"$new","name":"New","image":"https://i.example/a.png"}`, 200},
	{"requestPasswordResetEmailOTP", "POST", "", `{"email":"ann@example.com"}`, 200},
	{"forgetPasswordEmailOTP", "POST", "", `{"email":"ann@example.com"}`, 200},
	{"resetPasswordEmailOTP", "POST", "", `{"email":"ann@example.com","otp":"$otpForgot","password":"another password"}`, 200},
	{"requestEmailChangeEmailOTP", "POST", "ann", `{"newEmail":"annie@example.com"}`, 200},
	{"changeEmailEmailOTP", "POST", "ann", `{"newEmail":"new.ann@example.com","otp":"$otpChange"}`, 200},
	{"signInMagicLink", "POST", "", `{"email":"ann@example.com","name":"Ann","callbackURL":"/in","newUserCallbackURL":"/new","errorCallbackURL":"/oops","metadata":{"a":[1]}}`, 200},
	{"magicLinkVerify", "GET", "", `{"token":"$link","callbackURL":"/in","newUserCallbackURL":"/new","errorCallbackURL":"/oops"}`, 302},
	{"generateOpenAPISchema", "GET", "", `{}`, 200},
	{"openAPIReference", "GET", "", `{}`, 200},
}

// What an endpoint may do to people and browsers beside answering. What is not listed is
// not allowed.
type allowance struct {
	sets    string // short names of cookies
	drops   string // of cookies that may expire
	creates bool   // users
	asks    bool   // sends something to an address, or counts what does not fit what it was sent: nobody has to be signed in
}

// Groups of cookies: what comes and goes with a session and is sent again with a changed
// one, and the copy that whoever looks a session up sends anew.
const (
	sessionCookieSet = "session_token session_data dont_remember session_token_multi"
	copied           = "session_data"
)

// allowances are by endpoint. A session that the browser holds and that is no more
// expires wherever it is looked at.
var allowances = map[string]allowance{
	"signUpEmail":                  {sets: sessionCookieSet, drops: sessionCookieSet, creates: true},
	"signInEmail":                  {sets: sessionCookieSet + " two_factor trust_device", drops: sessionCookieSet + " trust_device"},
	"signInUsername":               {sets: sessionCookieSet + " two_factor trust_device", drops: sessionCookieSet + " trust_device"},
	"signInSocial":                 {sets: "state"},
	"callbackOAuth":                {sets: sessionCookieSet, drops: sessionCookieSet + " state", creates: true},
	"linkSocialAccount":            {sets: copied + " state", drops: sessionCookieSet},
	"signOut":                      {drops: sessionCookieSet},
	"getSession":                   {sets: sessionCookieSet, drops: sessionCookieSet},
	"updateSession":                {sets: sessionCookieSet, drops: sessionCookieSet},
	"listSessions":                 {sets: copied, drops: sessionCookieSet},
	"revokeSession":                {sets: copied, drops: sessionCookieSet},
	"revokeSessions":               {sets: copied, drops: sessionCookieSet},
	"revokeOtherSessions":          {sets: copied, drops: sessionCookieSet},
	"requestPasswordReset":         {asks: true},
	"verifyPassword":               {sets: copied, drops: sessionCookieSet},
	"changePassword":               {sets: sessionCookieSet, drops: sessionCookieSet},
	"sendVerificationEmail":        {sets: copied, drops: sessionCookieSet},
	"verifyEmail":                  {sets: sessionCookieSet, drops: sessionCookieSet},
	"updateUser":                   {sets: sessionCookieSet, drops: sessionCookieSet},
	"changeEmail":                  {sets: copied, drops: sessionCookieSet},
	"deleteUser":                   {sets: copied, drops: sessionCookieSet},
	"deleteUserCallback":           {sets: copied, drops: sessionCookieSet},
	"listUserAccounts":             {sets: copied, drops: sessionCookieSet},
	"unlinkAccount":                {sets: copied, drops: sessionCookieSet},
	"accountInfo":                  {sets: copied, drops: sessionCookieSet},
	"getAccessToken":               {sets: copied, drops: sessionCookieSet},
	"refreshToken":                 {sets: copied, drops: sessionCookieSet},
	"enableTwoFactor":              {sets: sessionCookieSet, drops: sessionCookieSet},
	"disableTwoFactor":             {sets: sessionCookieSet + " trust_device", drops: sessionCookieSet + " trust_device"},
	"getTOTPURI":                   {sets: copied, drops: sessionCookieSet},
	"generateBackupCodes":          {sets: copied, drops: sessionCookieSet},
	"verifyTOTP":                   {sets: sessionCookieSet + " trust_device", drops: sessionCookieSet + " two_factor"},
	"sendTwoFactorOTP":             {sets: copied, drops: sessionCookieSet},
	"verifyTwoFactorOTP":           {sets: sessionCookieSet + " trust_device", drops: sessionCookieSet + " two_factor"},
	"verifyBackupCode":             {sets: sessionCookieSet + " trust_device", drops: sessionCookieSet + " two_factor"},
	"getToken":                     {sets: copied, drops: sessionCookieSet},
	"setActiveSession":             {sets: sessionCookieSet, drops: sessionCookieSet},
	"revokeDeviceSession":          {sets: sessionCookieSet, drops: sessionCookieSet},
	"generateOneTimeToken":         {sets: copied, drops: sessionCookieSet},
	"verifyOneTimeToken":           {sets: sessionCookieSet, drops: sessionCookieSet},
	"sendVerificationOTP":          {asks: true},
	"checkVerificationOTP":         {asks: true},
	"verifyEmailOTP":               {sets: sessionCookieSet, drops: sessionCookieSet, asks: true},
	"signInEmailOTP":               {sets: sessionCookieSet, drops: sessionCookieSet, creates: true, asks: true},
	"requestPasswordResetEmailOTP": {asks: true},
	"forgetPasswordEmailOTP":       {asks: true},
	"resetPasswordEmailOTP":        {asks: true},
	"requestEmailChangeEmailOTP":   {sets: copied, drops: sessionCookieSet, asks: true},
	"changeEmailEmailOTP":          {sets: sessionCookieSet, drops: sessionCookieSet, asks: true},
	"signInMagicLink":              {asks: true},
	"magicLinkVerify":              {sets: sessionCookieSet, drops: sessionCookieSet, creates: true},
}

// privileged are columns of a user that nobody sets by naming them, with the endpoints
// that change them after a proof.
var privileged = map[string]string{
	"id":               "",
	"createdAt":        "",
	"email":            "changeEmail changeEmailEmailOTP verifyEmail",
	"emailVerified":    "verifyEmail verifyEmailOTP signInEmailOTP magicLinkVerify callbackOAuth changeEmail changeEmailEmailOTP resetPassword resetPasswordEmailOTP",
	"twoFactorEnabled": "enableTwoFactor disableTwoFactor verifyTOTP verifyTwoFactorOTP",
}
