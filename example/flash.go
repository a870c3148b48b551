package main

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/seed3b05b409/auth"
)

// A flash is what one page has to tell after a form was posted and the browser
// redirected to it. It travels in a cookie and is shown once.
type flash struct {
	Text  string            `json:"text"`
	Error bool              `json:"error,omitempty"`
	Input string            `json:"input,omitempty"` // name of the input that is wrong
	Kept  map[string]string `json:"kept,omitempty"`  // what was typed, for another try
}

const (
	flashCookie  = "flash"
	flashMaxSize = 3000 // browsers drop cookies of more than 4096 bytes
)

// keptInputs are the inputs that come back after an error. Passwords do not.
var keptInputs = []string{"name", "username", "login", "email", "image"}

// newErrorFlash describes why the form in r was refused.
func newErrorFlash(r *http.Request, err *auth.APIError) flash {
	f := flash{Text: err.Message, Error: true, Input: inputOf(r.PostForm, err), Kept: make(map[string]string)}
	if f.Text == "" {
		f.Text = http.StatusText(err.Status)
	}
	for _, name := range keptInputs {
		if r.PostForm.Has(name) {
			f.Kept[name] = r.PostForm.Get(name)
		}
	}
	return f
}

// inputOf returns the name of the input that an error is about, empty if it is
// about none or about more than one.
func inputOf(form url.Values, err *auth.APIError) string {
	switch err.Code {
	case auth.ErrInvalidEmail, auth.ErrUserAlreadyExistsUseAnotherEmail:
		return cmp.Or(loginOf(form), "email")
	case auth.ErrUsernameIsAlreadyTaken, auth.ErrUsernameTooShort, auth.ErrUsernameTooLong, auth.ErrInvalidUsername:
		return cmp.Or(loginOf(form), "username")
	case auth.ErrInvalidPassword:
		return "password"
	case auth.ErrPasswordTooShort, auth.ErrPasswordTooLong:
		return "new-password"
	case auth.ErrInvalidCode, auth.ErrInvalidBackupCode, auth.ErrOTPHasExpired:
		return "code"
	}
	return ""
}

// loginOf returns the name of the input for an address or a user name if a form has
// it.
func loginOf(form url.Values) string {
	if form.Has("login") {
		return "login"
	}
	return ""
}

func setFlash(w http.ResponseWriter, f flash) {
	data, _ := json.Marshal(f) // strings always marshal
	if len(data) > flashMaxSize*3/4 {
		f.Kept = nil
		data, _ = json.Marshal(f)
	}
	http.SetCookie(w, newFlashCookie(base64.RawURLEncoding.EncodeToString(data), 60))
}

// takeFlash returns the flash that the browser sent, if any, and deletes it. It
// is not signed: it is only ever shown as text to who sent it.
func takeFlash(w http.ResponseWriter, r *http.Request) (f flash) {
	cookie, err := r.Cookie(flashCookie)
	if err != nil {
		return flash{}
	}
	http.SetCookie(w, newFlashCookie("", -1))
	data, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || json.Unmarshal(data, &f) != nil {
		return flash{}
	}
	return f
}

func newFlashCookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: flashCookie, Value: value, MaxAge: maxAge,
		Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
