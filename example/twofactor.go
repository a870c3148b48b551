package main

import (
	"html/template"
	"net/http"
	"net/url"

	"github.com/seed3b05b409/auth"
)

// Two-factor authentication, as a user turns it on and off. What is secret, the key
// of the app and the backup codes, is in the answer to one form and nowhere else: it
// must not be in a URL or a cookie, which a page to redirect to would need.

func (s *site) twoFactorRoutes(mux *http.ServeMux) {
	for path, do := range map[string]revealFunc{"/two-factor/enable": s.enableTwoFactor, "/two-factor/backup-codes": s.newBackupCodes} {
		mux.Handle("POST "+path, s.reveal("/account", do))
		mux.Handle("GET "+path, http.RedirectHandler("/account", http.StatusSeeOther)) // what it has shown is shown once
	}
	mux.Handle("GET /two-factor/confirm", s.member(s.confirmTwoFactorPage))
	mux.Handle("POST /two-factor/confirm", s.form("/two-factor/confirm", s.confirmTwoFactor))
	mux.Handle("POST /two-factor/disable", s.form("/account", s.disableTwoFactor))
}

// A twoFactorSetup is what somebody needs to turn it on.
type twoFactorSetup struct {
	URI         template.URL // of the key, for apps on this device
	QRCode      template.HTML
	Secret      string // the key, for people to type
	BackupCodes []string
}

func newTwoFactorSetup(enabled *auth.EnableTwoFactorResponse) (twoFactorSetup, error) {
	uri, err := url.Parse(enabled.TOTPURI)
	if err != nil {
		return twoFactorSetup{}, err
	}
	image, err := qrCode(enabled.TOTPURI)
	return twoFactorSetup{
		URI:         template.URL(enabled.TOTPURI), // of the endpoint, so that its scheme is to be trusted
		QRCode:      image,
		Secret:      uri.Query().Get("secret"),
		BackupCodes: enabled.BackupCodes,
	}, err
}

// enableTwoFactor begins: it counts when confirmTwoFactor has seen a code.
func (s *site) enableTwoFactor(w http.ResponseWriter, r *http.Request) (page string, data any, err error) {
	out, err := s.plugins.twoFactor.Enable.Call(r.Context(), auth.EnableTwoFactorRequest{
		Password: r.PostForm.Get("password"),
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", nil, err
	}
	setup, err := newTwoFactorSetup(out)
	return "two-factor-setup", setup, err
}

func (s *site) confirmTwoFactorPage(w http.ResponseWriter, r *http.Request, data *auth.SessionData) {
	s.render(w, r, http.StatusOK, "two-factor-confirm", view{User: data.User})
}

// confirmTwoFactor takes the first code of the app. The session is a new one then.
func (s *site) confirmTwoFactor(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	_, err = s.plugins.twoFactor.VerifyTOTP.Call(r.Context(), auth.VerifyTwoFactorRequest{
		Code: typedCode(r),
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		next, err = startAgain(err)
		return next, "", err
	}
	return "/account", "Two-factor authentication is on.", nil
}

func (s *site) newBackupCodes(w http.ResponseWriter, r *http.Request) (page string, data any, err error) {
	out, err := s.plugins.twoFactor.GenerateBackupCodes.Call(r.Context(), auth.TwoFactorPasswordRequest{
		Password: r.PostForm.Get("password"),
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", nil, err
	}
	return "backup-codes", out.BackupCodes, nil
}

func (s *site) disableTwoFactor(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	_, err = s.plugins.twoFactor.Disable.Call(r.Context(), auth.TwoFactorPasswordRequest{
		Password: r.PostForm.Get("password"),
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", "", err
	}
	return "/account", "Two-factor authentication is off.", nil
}
