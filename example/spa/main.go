// Command spa serves a single-page application, in React with the official client
// better-auth/react, and the endpoints that it calls. Everything is kept in memory and
// gone when the program ends.
//
// The pages have to be built first, by node 20.19 or newer:
//
//	(cd example/spa/web && npm ci && npm run build)
//	go run ./example/spa
//
// Open http://localhost:3000. While working on the pages, let Vite serve them, which
// shows every change at once, and open the same address:
//
//	(cd example/spa/web && npm run dev)
//	go run ./example/spa -dev http://localhost:5173   # in another terminal
//
// What the program sends beside the endpoints:
//
//	curl -I localhost:3000/sessions   # the page, for every route: Cache-Control no-cache, Content-Security-Policy
//	curl -i localhost:3000/assets/old.js   # 404: an asset that is gone is no page
//
// The flag -addr takes another address, -web another folder with the built pages.
// AUTH_SECRET, at least 32 bytes, signs the cookies; without it a secret is made for
// this run.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/seed3b05b409/auth"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	web := flag.String("web", filepath.Join("example", "spa", "web", "dist"), "`folder` with the built pages")
	dev := flag.String("dev", "", "`URL` of a Vite server to take the pages from")
	flag.Parse()
	a, err := auth.New(auth.Config{
		BaseURL:       "http://" + *addr,
		Secret:        cmp.Or(os.Getenv("AUTH_SECRET"), rand.Text()+rand.Text()),
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Passwords:     auth.Passwords{Normalize: norm.NFKC.String}, // an é is the same key on every keyboard
	})
	if err != nil {
		log.Fatal(err)
	}
	pages, err := choosePages(*web, *dev)
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(*addr, routes(a, pages)); err != nil {
		log.Fatal(err)
	}
}

func routes(a *auth.Auth, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", a)                 // checks origins and limits rates by itself
	mux.Handle("/api/", http.NotFoundHandler()) // a program that asks for what is not there gets no page
	mux.Handle("/", pages)
	return mux
}

// choosePages returns the pages of a Vite server, if there is one, or those of a
// folder.
func choosePages(web, dev string) (http.Handler, error) {
	if dev != "" {
		vite, err := url.Parse(dev)
		if err != nil {
			return nil, err
		}
		return httputil.NewSingleHostReverseProxy(vite), nil
	}
	dist := os.DirFS(web)
	if _, err := fs.Stat(dist, "index.html"); err != nil {
		return nil, fmt.Errorf("no pages in %s (%w): build them by (cd %s && npm ci && npm run build)", web, err, filepath.Dir(web))
	}
	return secureHeaders(builtPages(dist)), nil
}

// builtPages serves what Vite has built. The names of assets change with their
// contents, so that browsers need not ask again; everything else they have to. A path
// without a file is a route of the application, which index.html finds the page for.
func builtPages(dist fs.FS) http.Handler {
	files := http.FileServerFS(dist)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "pages can only be read", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		asset := strings.HasPrefix(name+"/", "assets/")
		info, err := fs.Stat(dist, name)
		isFile := err == nil && info.Mode().IsRegular()
		switch {
		case isFile && asset:
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			files.ServeHTTP(w, r)
		case isFile:
			w.Header().Set("Cache-Control", "no-cache")
			files.ServeHTTP(w, r)
		case asset || path.Ext(name) != "":
			http.NotFound(w, r)
		default:
			w.Header().Set("Cache-Control", "no-cache")
			http.ServeFileFS(w, r, dist, "index.html")
		}
	})
}

// secureHeaders allow the pages scripts, styles and requests of their own origin and
// nothing else: no script that somebody smuggles in, no frame around them.
func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
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
