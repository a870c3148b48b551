package interoptest

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// TestClient drives the original, and this library beside it, with a Client: the same
// calls, the same results and errors.
func TestClient(t *testing.T) {
	w := newWorld(t, testdb.SQLite, plugged, "npm")
	for _, at := range []*site{w.npm, w.ours} {
		for _, kind := range []string{"jar", "bearer"} {
			t.Run(at.name+", "+kind, func(t *testing.T) {
				u := &remoteUser{t: t, at: at, email: w.newAddress(), bearer: kind == "bearer"}
				u.open()
				u.signUp()
				u.profile()
				u.sessions()
				u.passwords()
				u.username()
				u.mistakes()
				if !u.bearer { // a challenge is a cookie
					u.secondFactor()
				}
				u.signOut()
			})
		}
	}
}

// A remoteUser is somebody at a site by a Client.
type remoteUser struct {
	t      *testing.T
	at     *site
	email  string
	bearer bool

	*auth.Client
	tf       *auth.TwoFactor
	names    *auth.Username
	password string
}

func (u *remoteUser) open() {
	u.t.Helper()
	u.Client, u.tf, u.names = u.newClient()
	u.password = password
}

func (u *remoteUser) newClient() (*auth.Client, *auth.TwoFactor, *auth.Username) {
	u.t.Helper()
	tf, names := &auth.TwoFactor{}, &auth.Username{}
	options := []auth.ClientOption{auth.ClientOrigin(baseURL), auth.ClientPlugins(tf, names)}
	if u.bearer {
		options = append(options, auth.ClientBearer(""))
	}
	c, err := auth.NewClient(u.at.origin, options...)
	u.must(err)
	return c, tf, names
}

func (u *remoteUser) must(err error) {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
}

// refused checks status and code of an error.
func (u *remoteUser) refused(err error, status int, code auth.Code) {
	u.t.Helper()
	api, ok := errors.AsType[*auth.APIError](err)
	if !ok || api.Status != status || api.Code != code || !errors.Is(err, code) {
		u.t.Errorf("error %v, want %d %s", err, status, code)
	}
}

func (u *remoteUser) session() *auth.SessionData {
	u.t.Helper()
	data, err := u.API.GetSession.Call(u.t.Context(), auth.GetSessionRequest{})
	u.must(err)
	return data
}

// name is the user's in the plugin username.
func (u *remoteUser) name() string {
	return strings.NewReplacer("@example.com", "", ".", "").Replace(u.email)
}

func (u *remoteUser) signUp() {
	u.t.Helper()
	out, err := u.API.SignUpEmail.Call(u.t.Context(), auth.SignUpEmailRequest{
		Name: "Ada", Email: u.email, Password: u.password, Fields: map[string]any{"username": u.name()},
	})
	u.must(err)
	data := u.session()
	if data == nil || out.Token == nil || data.Session.Token != *out.Token || data.User.ID != out.User.ID || data.User.Email != u.email || data.User.Fields["username"] != u.name() || data.User.CreatedAt.IsZero() {
		u.t.Fatalf("signed up %+v, session %+v", out, data)
	}
	if (u.Bearer() != "") != u.bearer {
		u.t.Errorf("the token is %q", u.Bearer())
	}
}

func (u *remoteUser) profile() {
	u.t.Helper()
	changed, err := u.API.UpdateUser.Call(u.t.Context(), auth.UpdateUserRequest{Name: new("Augusta"), Image: auth.Some("https://example.com/ada.png")})
	u.must(err)
	if data := u.session(); !changed.Status || data.User.Name != "Augusta" || data.User.Image == nil {
		u.t.Errorf("updated to %+v", data.User)
	}
	_, err = u.API.UpdateUser.Call(u.t.Context(), auth.UpdateUserRequest{Image: auth.Null[string]()})
	u.must(err)
	if data := u.session(); data.User.Image != nil || data.User.Name != "Augusta" {
		u.t.Errorf("updated to %+v", data.User)
	}
	accounts, err := u.API.ListUserAccounts.Call(u.t.Context(), auth.Empty{})
	u.must(err)
	if len(accounts) != 1 || accounts[0].ProviderID != "credential" || accounts[0].CreatedAt.IsZero() {
		u.t.Errorf("accounts %+v", accounts)
	}
}

func (u *remoteUser) sessions() {
	u.t.Helper()
	other, _, _ := u.newClient()
	in, err := other.API.SignInEmail.Call(u.t.Context(), auth.SignInEmailRequest{Email: u.email, Password: u.password})
	u.must(err)
	list, err := u.API.ListSessions.Call(u.t.Context(), auth.Empty{})
	u.must(err)
	if len(list) != 2 || in.User.Email != u.email {
		u.t.Errorf("%d sessions", len(list))
	}
	gone, err := u.API.RevokeSession.Call(u.t.Context(), auth.RevokeSessionRequest{Token: in.Token})
	u.must(err)
	if data, err := other.API.GetSession.Call(u.t.Context(), auth.GetSessionRequest{}); data != nil || err != nil || !gone.Status {
		u.t.Errorf("a revoked session: %+v, %v", data, err)
	}
	_, err = other.API.ListSessions.Call(u.t.Context(), auth.Empty{})
	u.refused(err, 401, auth.ErrUnauthorized)
}

func (u *remoteUser) passwords() {
	u.t.Helper()
	ctx := u.t.Context()
	_, err := u.API.ChangePassword.Call(ctx, auth.ChangePasswordRequest{NewPassword: "another horse", CurrentPassword: "wrong"})
	u.refused(err, 400, auth.ErrInvalidPassword)
	changed, err := u.API.ChangePassword.Call(ctx, auth.ChangePasswordRequest{NewPassword: "another horse", CurrentPassword: u.password, RevokeOtherSessions: true})
	u.must(err)
	if data := u.session(); changed.Token == nil || data == nil || data.Session.Token != *changed.Token {
		u.t.Errorf("changed %+v, session %+v", changed, data)
	}
	asked, err := u.API.RequestPasswordReset.Call(ctx, auth.RequestPasswordResetRequest{Email: u.email, RedirectTo: "/reset"})
	u.must(err)
	token := u.at.mails.await(u.t, "reset", u.email).Token
	if !asked.Status || token == "" {
		u.t.Errorf("asked %+v, token %q", asked, token)
	}
	var header http.Header
	_, err = u.API.RequestPasswordResetCallback.Call(ctx, auth.RequestPasswordResetCallbackRequest{Token: "unknown", CallbackURL: "/reset"}, auth.ReturnHeaders(&header))
	if api, ok := errors.AsType[*auth.APIError](err); !ok || api.Status != 302 || api.Header.Get("Location") != baseURL+"/reset?error=INVALID_TOKEN" || header.Get("Location") != api.Header.Get("Location") {
		u.t.Errorf("a link with an unknown token: %v, %v", err, header)
	}
	reset, err := u.API.ResetPassword.Call(ctx, auth.ResetPasswordRequest{NewPassword: "third horse", Token: token})
	u.must(err)
	if u.password = "third horse"; !reset.Status {
		u.t.Errorf("reset %+v", reset)
	}
	_, err = u.API.ResetPassword.Call(ctx, auth.ResetPasswordRequest{NewPassword: "third horse", Token: token})
	u.refused(err, 400, auth.ErrInvalidToken)
}

func (u *remoteUser) username() {
	u.t.Helper()
	u.signOut()
	out, err := u.names.SignIn.Call(u.t.Context(), auth.SignInUsernameRequest{Username: u.name(), Password: u.password})
	u.must(err)
	if data := u.session(); data == nil || data.Session.Token != out.Token {
		u.t.Errorf("signed in %+v, session %+v", out, data)
	}
	taken, err := u.names.IsAvailable.Call(u.t.Context(), auth.IsUsernameAvailableRequest{Username: u.name()})
	u.must(err)
	if taken.Available {
		u.t.Error("the name is available")
	}
	_, err = u.names.SignIn.Call(u.t.Context(), auth.SignInUsernameRequest{Username: u.name(), Password: "wrong"})
	u.refused(err, 401, auth.ErrInvalidUsernameOrPassword)
}

func (u *remoteUser) mistakes() {
	u.t.Helper()
	ctx := u.t.Context()
	_, err := u.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: u.email, Password: "wrong"})
	u.refused(err, 401, auth.ErrInvalidEmailOrPassword)
	_, err = u.API.SignUpEmail.Call(ctx, auth.SignUpEmailRequest{Name: "Ada", Email: u.email, Password: password})
	u.refused(err, 422, auth.ErrUserAlreadyExistsUseAnotherEmail)
	_, err = u.API.SignUpEmail.Call(ctx, auth.SignUpEmailRequest{Name: "Ada", Email: "ada", Password: password})
	u.refused(err, 400, auth.ErrValidation)
	_, err = u.API.RequestPasswordReset.Call(ctx, auth.RequestPasswordResetRequest{Email: u.email, RedirectTo: "https://evil.example"})
	u.refused(err, 403, auth.ErrInvalidRedirectURL)
}

func (u *remoteUser) secondFactor() {
	u.t.Helper()
	ctx := u.t.Context()
	enabled, err := u.tf.Enable.Call(ctx, auth.EnableTwoFactorRequest{Password: u.password})
	u.must(err)
	uri, err := url.Parse(enabled.TOTPURI)
	u.must(err)
	app := &protected{secret: uri.Query().Get("secret")}
	_, err = u.tf.VerifyTOTP.Call(ctx, auth.VerifyTwoFactorRequest{Code: app.totp(u.t)})
	u.must(err)
	u.signOut()
	_, err = u.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: u.email, Password: u.password})
	challenge, ok := errors.AsType[*auth.TwoFactorChallenge](err)
	if !ok || !challenge.TwoFactorRedirect || strings.Join(challenge.TwoFactorMethods, " ") != "totp otp" {
		u.t.Fatalf("challenge: %v", err)
	}
	if data := u.session(); data != nil {
		u.t.Errorf("a session before the second factor: %+v", data)
	}
	_, err = u.tf.VerifyBackupCode.Call(ctx, auth.VerifyBackupCodeRequest{Code: "wrong"})
	u.refused(err, 401, auth.ErrInvalidBackupCode)
	verified, err := u.tf.VerifyTOTP.Call(ctx, auth.VerifyTwoFactorRequest{Code: app.totp(u.t)})
	u.must(err)
	if data := u.session(); data == nil || data.Session.Token != verified.Token || data.User.Fields["twoFactorEnabled"] != true {
		u.t.Errorf("verified %+v, session %+v", verified, data)
	}
}

func (u *remoteUser) signOut() {
	u.t.Helper()
	out, err := u.API.SignOut.Call(u.t.Context(), auth.SignOutRequest{})
	u.must(err)
	if data := u.session(); !out.Success || data != nil {
		u.t.Errorf("signed out %+v, session %+v", out, data)
	}
}
