package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed3b05b409/auth"
)

// Signing in at a provider. A button begins it: the endpoint answers with where the
// browser is to go and sets the cookie that binds the way back to this browser. The
// callback of the API ends it and leads to one of the pages below.

func (s *site) signInSocial(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	out, err := s.auth.API.SignInSocial.Call(r.Context(), auth.SignInSocialRequest{
		Provider:           r.PostForm.Get("provider"),
		CallbackURL:        "/account",
		NewUserCallbackURL: "/welcome",
		ErrorCallbackURL:   providerErrorPath,
		DisableRedirect:    true, // proceed does it
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", "", notAvailable(err)
	}
	return out.URL, "", nil
}

// notAvailable says in plain words that a provider is not configured or that its
// metadata cannot be read, which is the same to the endpoint.
func notAvailable(err error) error {
	if errors.Is(err, auth.ErrProviderNotFound) {
		return auth.NewError(http.StatusNotFound, auth.ErrProviderNotFound, "That provider cannot be reached now. Please try again later.")
	}
	return err
}

func (s *site) linkSocial(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	out, err := s.auth.API.LinkSocialAccount.Call(r.Context(), auth.LinkSocialAccountRequest{
		Provider:         r.PostForm.Get("provider"),
		CallbackURL:      "/linked",
		ErrorCallbackURL: providerErrorPath,
		DisableRedirect:  true,
	}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		return "", "", notAvailable(err)
	}
	return out.URL, "", nil
}

// unlink removes one way of signing in. The endpoint keeps the last one and wants a
// recent sign-in.
func (s *site) unlink(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	_, err = s.auth.API.UnlinkAccount.Call(r.Context(), auth.UnlinkAccountRequest{
		AccountID: r.PostForm.Get("account"),
	}, auth.WithRequest(r), auth.ForwardHeaders(w))
	if errors.Is(err, auth.ErrSessionNotFresh) {
		err = auth.NewError(http.StatusForbidden, auth.ErrSessionNotFresh,
			"You signed in more than a day ago. To unlink an account, please sign out and in again.")
	}
	if err != nil {
		return "", "", err
	}
	return "/account", "The account is no longer linked.", nil
}

// proceed goes on to a page of the site or to a provider. There it does not
// redirect: browsers apply form-action to what follows a form, and a provider may
// lead from host to host. A page that leads on by itself is under no such policy.
func (s *site) proceed(w http.ResponseWriter, r *http.Request, next string) {
	if strings.HasPrefix(next, "/") {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	host := next
	if u, err := url.Parse(next); err == nil {
		host = u.Host
	}
	w.Header().Set("Refresh", "0; url="+next)
	s.show(w, r, "leave", departure{URL: next, Host: host})
}

type departure struct{ URL, Host string }

// tell redirects with something to say, for callbacks: the notice stays out of
// their URLs, and reloading does not repeat it.
func (s *site) tell(text, next string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		setFlash(w, flash{Text: text})
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

// providerErrorPath is where failed sign-ins end, with a code in the query. Who is
// signed in goes on to the account from there.
const providerErrorPath = "/provider-error"

func (s *site) providerError(w http.ResponseWriter, r *http.Request) {
	setFlash(w, flash{Text: providerErrorText(r.URL.Query().Get("error")), Error: true})
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// providerErrorText says in plain words what went wrong. The description that a
// provider may send is for developers, and anybody can put one into a link.
func providerErrorText(code string) string {
	switch code {
	case "access_denied":
		return "You said no, so nothing has happened."
	case "account_not_linked":
		return "There is an account with this address already. Sign in to it, verify the address and link the provider on your profile."
	case "email_does_not_match":
		return "That account has another e-mail address than yours here, so it was not linked."
	case "account_already_linked_to_different_user":
		return "That account belongs to somebody else here."
	case "unable_to_link_account":
		return "The account was not linked. The provider must have verified its address, and you must stay signed in meanwhile."
	case "email_not_found":
		return "The provider did not tell your e-mail address, which is needed here."
	case "email_not_verified":
		return "Please verify your e-mail address first. We sent you a mail."
	case "signup_disabled":
		return "Nobody is known here by that account, and it cannot be used to sign up."
	case "state_mismatch", "state_invalid", "state_not_found":
		return "That took too long, or it began in another window. Please try again."
	case "oauth_provider_not_found", "invalid_code", "unable_to_get_user_info", "temporarily_unavailable", "server_error":
		return "The provider could not be reached or gave no proper answer. Please try again later."
	}
	return "That did not work. Please try again."
}

// A signInMethod is an account as its user sees it.
type signInMethod struct {
	auth.AccountInfo
	Name string
}

// signInMethods are how a user signs in, and where they might besides.
type signInMethods struct {
	Linked []signInMethod
	Others []namedProvider
}

func (s *site) signInMethods(w http.ResponseWriter, r *http.Request) (signInMethods, error) {
	accounts, err := s.auth.API.ListUserAccounts.Call(r.Context(), auth.Empty{}, auth.WithRequest(r), auth.ForwardHeaders(w))
	if err != nil {
		return signInMethods{}, err
	}
	var m signInMethods
	for _, account := range accounts {
		m.Linked = append(m.Linked, signInMethod{account, s.nameOf(account.ProviderID)})
	}
	for _, p := range s.providers {
		if !m.has(p.ID) {
			m.Others = append(m.Others, p)
		}
	}
	return m, nil
}

func (m signInMethods) has(providerID string) bool {
	for _, method := range m.Linked {
		if method.ProviderID == providerID {
			return true
		}
	}
	return false
}

// HasPassword reports whether the user can sign in with a password.
func (m signInMethods) HasPassword() bool { return m.has(passwordProvider) }

// passwordProvider is the provider of accounts that have a password.
const passwordProvider = "credential"

// nameOf returns what people call a provider, its id if it is configured no longer.
func (s *site) nameOf(id string) string {
	if id == passwordProvider {
		return "Password"
	}
	for _, p := range s.providers {
		if p.ID == id {
			return p.Name
		}
	}
	return id
}
