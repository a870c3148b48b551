// Command echo has the endpoints, guarded routes and the errors of this package in a
// server of github.com/labstack/echo. Everything is kept in memory and gone when the
// program ends.
//
//	go run ./example/echo
//
// In another terminal:
//
//	curl -c jar -H 'Content-Type: application/json' localhost:3000/api/auth/sign-up/email \
//		-d '{"name":"Ada","email":"ada@example.com","password":"correct horse"}'
//	curl -b jar localhost:3000/me
//	curl -b jar localhost:3000/me/name -d name=Countess
//	curl -b jar localhost:3000/me
//	curl -i localhost:3000/me   # 401: nobody is signed in
//	curl -i -b jar -H 'Sec-Fetch-Site: cross-site' localhost:3000/me/name -d name=Eve   # 403: as from another site
//
// The flag -addr takes another address. AUTH_SECRET, at least 32 bytes, signs the
// cookies; without it a secret is made for this run.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/seed3b05b409/auth"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	flag.Parse()
	a, err := auth.New(auth.Config{
		BaseURL:       "http://" + *addr,
		Secret:        cmp.Or(os.Getenv("AUTH_SECRET"), rand.Text()+rand.Text()),
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(*addr, routes(a)); err != nil {
		log.Fatal(err)
	}
}

func routes(a *auth.Auth) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = answerError(e)
	e.Use(middleware.Recover())
	e.Any("/api/auth/*", echo.WrapHandler(a)) // checks origins and limits rates by itself
	e.GET("/", func(c echo.Context) error {
		return c.String(http.StatusOK, "Everybody may read this.\n")
	})
	me := e.Group("/me",
		echo.WrapMiddleware(http.NewCrossOriginProtection().Handler), // cookies come along with forms of other sites too
		echo.WrapMiddleware(a.RequireSession))
	me.GET("", func(c echo.Context) error {
		return c.JSON(http.StatusOK, session(c).User)
	})
	me.POST("/name", func(c echo.Context) error {
		_, err := a.API.UpdateUser.Call(c.Request().Context(), auth.UpdateUserRequest{Name: new(c.FormValue("name"))},
			auth.WithRequest(c.Request()), auth.WithRateLimit(), auth.ForwardHeaders(c.Response()))
		if err != nil {
			return err // answerError knows it
		}
		return c.NoContent(http.StatusNoContent)
	})
	return e
}

// session returns the session of a handler behind RequireSession.
func session(c echo.Context) *auth.SessionData {
	return auth.SessionFromContext(c.Request().Context())
}

// answerError gives the errors of endpoints the status and the body that they have
// over HTTP, and leaves others to Echo.
func answerError(e *echo.Echo) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if refused, ok := errors.AsType[*auth.APIError](err); ok && !c.Response().Committed {
			err = c.JSON(refused.Status, refused)
		}
		if err != nil {
			e.DefaultHTTPErrorHandler(err, c)
		}
	}
}

// serve answers requests until the program is told to end, then gives those that run
// ten seconds to finish.
func serve(addr string, handler http.Handler) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ended := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		stop() // a second Ctrl-C ends the program at once
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ended <- server.Shutdown(ctx)
	})
	log.Printf("serving at http://%s", addr)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}
