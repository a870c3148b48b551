package docstest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/redis/go-redis/v9"
	_ "golang.org/x/text/unicode/norm"
	_ "modernc.org/sqlite"

	"github.com/seed3b05b409/auth"
	_ "github.com/seed3b05b409/auth/redisstorage"
)

// A Stage is where a fragment runs: an instance on a database of its own, in which
// Ada has signed up, and a request of hers that is a form with her password.
type Stage struct {
	Context context.Context
	Key     crypto.Signer
	Auth    *auth.Auth
	DB      *sql.DB
	Mux     *http.ServeMux
	Writer  http.ResponseWriter
	Request *http.Request
	Config  auth.Config
	Log     Log
}

// A Fragment is a block of a page as a function.
type Fragment struct {
	Name string
	Run  func(s *Stage)
}

// Run runs fragments and prints what became of each: its name and, quoted, what was
// wrong.
func Run(fragments []Fragment) {
	dir, err := os.MkdirTemp("", "docstest-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for i, f := range fragments {
		fmt.Printf("\n%s %q %q\n", ResultMark, f.Name, f.outcome(filepath.Join(dir, fmt.Sprintf("%d.db", i))))
	}
}

// ResultMark begins the lines that Run prints.
const ResultMark = "docstest:"

func (f Fragment) outcome(file string) (problem string) {
	s, err := newStage(file)
	if err != nil {
		return err.Error()
	}
	defer s.DB.Close()
	defer func() {
		if v := recover(); v != nil {
			problem = fmt.Sprint(v)
		}
	}()
	f.Run(s)
	return ""
}

// Check fails the fragment for an error that is not meant for clients.
func (s *Stage) Check(err error) {
	if _, forClients := errors.AsType[*auth.APIError](err); err != nil && !forClients {
		panic(err)
	}
}

func newStage(file string) (*Stage, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(1000)&_pragma=synchronous(OFF)")
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	s := &Stage{
		Context: context.Background(), Key: key, DB: db, Mux: http.NewServeMux(), Writer: httptest.NewRecorder(),
		Config: auth.Config{
			BaseURL:           "https://example.com",
			Secret:            "a secret of at least 32 characters",
			Store:             auth.NewSQLStore(db, auth.SQLite),
			EmailPassword:     auth.EmailPassword{Enabled: true, SendResetPassword: noMail},
			EmailVerification: auth.EmailVerification{Send: noMail},
			User:              auth.UserOptions{ChangeEmail: auth.ChangeEmail{Enabled: true}, Delete: auth.DeleteUser{Enabled: true}},
			Passwords:         auth.Passwords{Hasher: plain{}},
			Providers:         []auth.Provider{auth.GitHub("id", "secret")},
			Logger:            slog.New(slog.DiscardHandler),
		},
	}
	if s.Auth, err = auth.New(s.Config); err != nil {
		return nil, err
	}
	if err := s.Auth.Migrate(s.Context); err != nil {
		return nil, err
	}
	return s, s.signUp()
}

// signUp makes the request from the cookies that Ada gets.
func (s *Stage) signUp() error {
	form := url.Values{"name": {"Ada"}, "email": {"ada@example.com"}, "password": {"correct horse"}, "provider": {"github"}}
	var response *http.Response
	_, err := s.Auth.API.SignUpEmail.Call(s.Context, auth.SignUpEmailRequest{
		Name: form.Get("name"), Email: form.Get("email"), Password: form.Get("password"),
	}, auth.AsResponse(&response))
	if err != nil {
		return err
	}
	s.Request = httptest.NewRequest(http.MethodPost, "https://example.com/", strings.NewReader(form.Encode()))
	s.Request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, cookie := range response.Cookies() {
		s.Request.AddCookie(cookie)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func noMail(context.Context, auth.Mail) error { return nil }

// plain stores passwords as they are, which saves the time of hashing.
type plain struct{}

func (plain) Hash(_ context.Context, password string) (string, error) { return password, nil }

func (plain) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == password, nil
}

// Log stands for the package log, whose Fatal would end all fragments.
type Log struct{}

func (Log) Print(...any)              {}
func (Log) Printf(string, ...any)     {}
func (Log) Println(...any)            {}
func (Log) Fatal(v ...any)            { panic(fmt.Sprint(v...)) }
func (Log) Fatalf(f string, v ...any) { panic(fmt.Sprintf(f, v...)) }
