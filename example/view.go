package main

import (
	"cmp"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// A view is what a template shows.
type view struct {
	Path      string     // of the page
	User      *auth.User // nil: nobody is signed in
	Outbox    bool       // there is an outbox to link to
	Providers []namedProvider
	Flash     flash
	Data      any // of this page
}

// About returns the attributes of an input that lead to the ids of the texts
// about it: the hint below it, and the message if it was wrong. Both arguments
// come from templates, never from a request.
func (v view) About(input string, hint ...string) template.HTMLAttr {
	if v.Flash.Error && v.Flash.Input == input {
		hint = append([]string{"flash"}, hint...)
		return template.HTMLAttr(`aria-invalid="true" aria-describedby="` + strings.Join(hint, " ") + `"`)
	}
	if len(hint) == 0 {
		return ""
	}
	return template.HTMLAttr(`aria-describedby="` + hint[0] + `"`)
}

// Kept returns what the user typed before an error, or else what is stored.
func (v view) Kept(input, stored string) string {
	if typed, ok := v.Flash.Kept[input]; ok {
		return typed
	}
	return stored
}

// Current marks the link to the page that is open.
func (v view) Current(path string) template.HTMLAttr {
	if v.Path != path {
		return ""
	}
	return `aria-current="page"`
}

// Called returns what to call the user.
func (v view) Called() string { return called(v.User) }

// called returns a user's name, or the address of one who signed up by a link in a
// mail and has given no name yet.
func called(user *auth.User) string { return cmp.Or(user.Name, user.Email) }

// Username returns the user name as it was typed, empty if there is none.
func (v view) Username() string {
	name, _ := v.User.Fields["displayUsername"].(string)
	return name
}

// TwoFactor reports whether signing in with the password takes a second step.
func (v view) TwoFactor() bool {
	enabled, _ := v.User.Fields["twoFactorEnabled"].(bool)
	return enabled
}

// Image returns the URL that the user gave for a picture, empty if there is none.
func (v view) Image() string {
	if v.User.Image == nil {
		return ""
	}
	return *v.User.Image
}

// Picture returns the URL of the user's picture if it is one that the pages'
// policy lets browsers load.
func (v view) Picture() string {
	if !strings.HasPrefix(v.Image(), "https://") {
		return ""
	}
	return v.Image()
}

// Initial stands for a picture where there is none.
func (v view) Initial() string {
	for _, letter := range strings.ToUpper(v.Called()) {
		return string(letter)
	}
	return "?"
}

var templateFuncs = template.FuncMap{
	"day":     func(t time.Time) string { return t.UTC().Format("2 January 2006") },
	"date":    func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
}

// parsePages returns the pages by name, each with the layout around it and the
// parts that several pages have. It panics if one cannot be parsed, which no build with passing tests does.
func parsePages() map[string]*template.Template {
	layout := template.Must(template.New("").Funcs(templateFuncs).ParseFS(files, "templates/layout.html", "templates/parts.html"))
	names, _ := fs.Glob(files, "templates/*.html")
	pages := make(map[string]*template.Template, len(names))
	for _, name := range names {
		page := template.Must(template.Must(layout.Clone()).ParseFS(files, name))
		pages[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return pages
}
