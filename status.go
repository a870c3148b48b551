package auth

import (
	"bytes"
	"context"
	"html/template"
	"strings"
)

// OKResponse is the answer of GET /ok.
type OKResponse struct {
	OK bool `json:"ok"`
}

// ok tells that the server runs.
func (c *core) ok(context.Context, Empty) (*OKResponse, error) { return &OKResponse{OK: true}, nil }

// ErrorRequest is the query of GET /error.
type ErrorRequest struct {
	Error       string `query:"error,omitempty"`
	Description string `query:"error_description,omitempty"`
}

// inspect: a page for people has no validation errors. The first value counts of
// a parameter that is repeated.
func (r *ErrorRequest) inspect(x *Exchange, issues []issue) []issue {
	if len(issues) > 0 {
		r.Error, r.Description = x.queryValue("error"), x.queryValue("error_description")
	}
	return nil
}

// error shows a page to people whose link or sign-in failed, or sends them to
// the application's page.
func (c *core) error(ctx context.Context, in ErrorRequest) (Raw, error) {
	code := safeErrorCode(in.Error)
	if c.errorURL != "" {
		params := []string{"error", code}
		if in.Description != "" {
			params = append(params, "error_description", in.Description)
		}
		return Raw{}, ExchangeFrom(ctx).Redirect(appendQuery(c.errorURL, params...))
	}
	// Nothing on the page comes from anywhere but this response.
	h := ExchangeFrom(ctx).Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if c.errorPage != nil {
		return Raw{"text/html; charset=utf-8", c.errorPage(code, in.Description)}, nil
	}
	var page bytes.Buffer
	err := errorPage.Execute(&page, ErrorRequest{code, in.Description})
	return Raw{"text/html; charset=utf-8", page.Bytes()}, err
}

// safeErrorCode admits what looks like a code of ours or of an OAuth provider.
func safeErrorCode(code string) string {
	const allowed = alphanumeric + "_-'"
	if code == "" || strings.Trim(code, allowed) != "" {
		return "UNKNOWN"
	}
	return code
}

var errorPage = template.Must(template.New("error").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Something went wrong</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { display: grid; min-height: 100vh; margin: 0; place-items: center; }
  main { max-width: 28rem; padding: 2rem; }
  code { padding: .1rem .4rem; border-radius: .25rem; background: #8883; overflow-wrap: anywhere; }
</style>
<main>
  <h1>Something went wrong</h1>
  <p>{{with .Description}}{{.}}{{else}}The request could not be completed. Please go back and try again.{{end}}</p>
  <p>Code: <code>{{.Error}}</code></p>
  <p><a href="/">Go to the start page</a></p>
</main>
`))
