package main

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/seed3b05b409/auth"
)

//go:embed templates static
var files embed.FS

// A site serves the pages and, beside them, the API.
type site struct {
	auth       *auth.Auth
	plugins    plugins
	mails      *outbox
	showOutbox bool
	providers  []namedProvider
	pages      map[string]*template.Template
}

func newSite(a *auth.Auth, p plugins, mails *outbox, showOutbox bool, providers []namedProvider) http.Handler {
	s := &site{auth: a, plugins: p, mails: mails, showOutbox: showOutbox, providers: providers, pages: parsePages()}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", a) // checks origins and limits rates by itself
	mux.Handle("/", secureHeaders(s.sameOrigin(s.routes())))
	return mux
}

func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	s.visitorRoutes(mux)
	s.secondStepRoutes(mux)
	s.memberRoutes(mux)
	s.twoFactorRoutes(mux)
	static := http.FileServerFS(files)
	mux.Handle("GET /static/style.css", static)
	mux.Handle("GET /static/icon.svg", static)
	if s.showOutbox {
		mux.HandleFunc("GET /outbox", s.outboxPage)
	}
	mux.HandleFunc("GET /", s.notFound)
	return mux
}

func (s *site) visitorRoutes(mux *http.ServeMux) {
	mux.Handle("GET /{$}", s.visitor("home"))
	mux.Handle("GET /sign-up", s.visitor("sign-up"))
	mux.Handle("POST /sign-up", s.form("/sign-up", s.signUp))
	mux.Handle("GET /sign-in", s.visitor("sign-in"))
	mux.Handle("POST /sign-in", s.form("/sign-in", s.signIn))
	mux.Handle("GET /sign-in/link", s.visitor("sign-in-link"))
	mux.Handle("POST /sign-in/link", s.form("/sign-in/link", s.sendSignInLink))
	mux.HandleFunc("GET /sign-in/link/error", s.signInLinkError)
	mux.Handle("POST /sign-in/social", s.form("/sign-in", s.signInSocial))
	mux.HandleFunc("GET "+providerErrorPath, s.providerError)
	mux.HandleFunc("GET /welcome", s.tell("Welcome!", "/account"))
	mux.Handle("POST /sign-out", s.form("/", s.signOut))
	mux.Handle("GET /forgot-password", s.visitor("forgot-password"))
	mux.Handle("POST /forgot-password", s.form("/forgot-password", s.forgotPassword))
	mux.HandleFunc("GET /reset-password", s.resetPasswordPage)
	mux.Handle("POST /reset-password", s.form("/reset-password", s.resetPassword))
	mux.HandleFunc("GET /link/{kind}", s.linkPage)
}

func (s *site) memberRoutes(mux *http.ServeMux) {
	mux.Handle("GET /account", s.member(s.accountPage))
	mux.Handle("POST /account", s.form("/account", s.updateProfile))
	mux.Handle("POST /account/verification", s.form("/account", s.sendVerification))
	mux.Handle("POST /account/email", s.form("/account", s.changeEmail))
	mux.Handle("POST /account/link", s.form("/account", s.linkSocial))
	mux.Handle("POST /account/unlink", s.form("/account", s.unlink))
	mux.HandleFunc("GET /linked", s.tell("The account is linked.", "/account"))
	mux.Handle("GET /password", s.member(s.passwordPage))
	mux.Handle("POST /password", s.form("/password", s.changePassword))
	mux.Handle("POST /password/first", s.form("/password", s.setPassword))
	mux.Handle("GET /sessions", s.member(s.sessionsPage))
	mux.Handle("POST /sessions/revoke", s.form("/sessions", s.revokeSession))
	mux.Handle("POST /sessions/revoke-others", s.form("/sessions", s.revokeOtherSessions))
	mux.Handle("GET /delete-account", s.member(s.deleteAccountPage))
	mux.Handle("POST /delete-account", s.form("/delete-account", s.deleteAccount))
}

// sameOrigin refuses forms that another site posts. The endpoints check the
// origin of requests over HTTP; a direct call has none, so the pages need their
// own check.
func (s *site) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.problem(w, r, http.StatusForbidden, "This form was sent from another site.")
	}))
	return protection.Handler(next)
}

// secureHeaders allows the pages one stylesheet, pictures and forms of their
// own, and nothing else: above all no script. The referrer stays on the site;
// without any, old browsers would post forms with the origin "null".
func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' https:; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		next.ServeHTTP(w, r)
	})
}

// visitor serves a page that is the same for everybody who is not signed in.
// Who is signed in has no use for it.
func (s *site) visitor(name string) http.Handler { return s.visitorWith(name, nil) }

func (s *site) visitorWith(name string, content any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := s.auth.Session(r)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case data != nil:
			http.Redirect(w, r, "/account", http.StatusSeeOther)
		default:
			s.render(w, r, http.StatusOK, name, view{Data: content})
		}
	})
}

// member serves a page for people who are signed in and asks others to. Calling
// GetSession, unlike Auth.Session, also prolongs a session that is due.
// Auth.RequireSession does the same but answers 401, which is right for an API.
func (s *site) member(page func(w http.ResponseWriter, r *http.Request, data *auth.SessionData)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := s.auth.API.GetSession.Call(r.Context(), auth.GetSessionRequest{},
			auth.WithRequest(r), auth.ForwardHeaders(w))
		switch {
		case err != nil:
			s.fail(w, r, err)
		case data == nil:
			askToSignIn(w, r)
		default:
			page(w, r, data)
		}
	})
}

func askToSignIn(w http.ResponseWriter, r *http.Request) {
	setFlash(w, flash{Text: "Please sign in to continue."})
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// A formFunc does what a form asks for. It returns where the browser is to go, a
// path or the URL of a provider, and what the page there should say; on failure, an empty next is the page that the
// form is on.
type formFunc func(w http.ResponseWriter, r *http.Request) (next, notice string, err error)

// maxForm is more than any form of this site has.
const maxForm = 32 << 10

// form serves a form that is on the page back. Every outcome leads on, so that
// reloading a page never repeats what a form did.
func (s *site) form(back string, do formFunc) http.Handler {
	return s.post(func(w http.ResponseWriter, r *http.Request) {
		next, notice, err := do(w, r)
		if err != nil {
			s.refuse(w, r, cmp.Or(next, back), err)
			return
		}
		if notice != "" {
			setFlash(w, flash{Text: notice})
		}
		s.proceed(w, r, next)
	})
}

// A revealFunc does what a form asks for. It returns the page that shows what came
// of it.
type revealFunc func(w http.ResponseWriter, r *http.Request) (page string, data any, err error)

// reveal is form for what can be shown once only, which is why the answer itself
// shows it.
func (s *site) reveal(back string, do revealFunc) http.Handler {
	return s.post(func(w http.ResponseWriter, r *http.Request) {
		page, data, err := do(w, r)
		if err != nil {
			s.refuse(w, r, back, err)
			return
		}
		s.show(w, r, page, data)
	})
}

// post reads a form.
func (s *site) post(do http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			s.problem(w, r, http.StatusBadRequest, "The form could not be read.")
			return
		}
		do(w, r)
	})
}

// refuse returns to the form with the message of an APIError. Other errors are
// not for the eyes of users.
func (s *site) refuse(w http.ResponseWriter, r *http.Request, back string, err error) {
	var refused *auth.APIError
	switch {
	case errors.Is(err, auth.ErrUnauthorized):
		askToSignIn(w, r)
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		setFlash(w, newErrorFlash(r, refused))
		http.Redirect(w, r, back, http.StatusSeeOther)
	default:
		s.fail(w, r, err)
	}
}

// fail shows an internal error without its reason, which goes to the log.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	slog.ErrorContext(r.Context(), "page failed", "method", r.Method, "path", r.URL.Path, "error", err)
	status, text := http.StatusInternalServerError, "Something went wrong. Please try again later."
	if errors.Is(err, auth.ErrServiceOverloaded) {
		status, text = http.StatusServiceUnavailable, auth.ErrServiceOverloaded.Message()
	}
	s.problem(w, r, status, text)
}

func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, http.StatusNotFound, "There is no such page.")
}

// problem shows a page for what no form can mend.
func (s *site) problem(w http.ResponseWriter, r *http.Request, status int, text string) {
	s.render(w, r, status, "problem", view{Data: text})
}

// show serves a page that everybody may see, with the navigation of who is
// signed in.
func (s *site) show(w http.ResponseWriter, r *http.Request, name string, data any) {
	current, err := s.auth.Session(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v := view{Data: data}
	if current != nil {
		v.User = current.User
	}
	s.render(w, r, http.StatusOK, name, v)
}

// render writes a page when all of it is there, so that a template that fails
// leaves no half of one.
func (s *site) render(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	v.Path, v.Outbox, v.Providers, v.Flash = r.URL.Path, s.showOutbox, s.providers, takeFlash(w, r)
	var page bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&page, "layout.html", v); err != nil {
		slog.ErrorContext(r.Context(), "template failed", "page", name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store") // pages show what only their user may see
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}
