package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
)

// OpenAPI serves the document of the instance (Auth.OpenAPI) and a page that shows it:
//
//	GET /open-api/generate-schema   the document
//	GET /reference                  the page
//
// Both are open to everybody. The page needs no network and no script; it is made once.
type OpenAPI struct {
	// Path is where the page is, below the base path. Default "/reference".
	Path string

	// DisableReference leaves the page out: 404.
	DisableReference bool

	// Theme is "light" or "dark". Default: what the reader's system prefers, which the
	// original calls "default".
	Theme string

	// Nonce stands on the style and the script of the page, for programs with a
	// Content-Security-Policy of their own. That of the page names what it contains by
	// its hash and needs none.
	Nonce string

	// Own are the application's own endpoints, to be shown beside those of the instance.
	Own []Operation

	// GenerateSchema is GET /open-api/generate-schema: the document.
	GenerateSchema *Endpoint[Empty, json.RawMessage]

	// Reference is GET /reference: the page. Errors: 404 with DisableReference.
	Reference *Endpoint[Empty, Raw]

	services *Services
	document func() (json.RawMessage, error)
	page     func() (openAPIPage, error)
}

// ID returns "open-api".
func (*OpenAPI) ID() string { return "open-api" }

// Extend is called by New. Errors: an unknown Theme.
func (o *OpenAPI) Extend(s *Services) (*Extension, error) {
	switch o.Theme {
	case "", "default", "light", "dark":
	default:
		return nil, fmt.Errorf("the Theme %q is none of default, light and dark", o.Theme)
	}
	path := o.Path
	if path == "" {
		path = "/reference"
	}
	o.services = s
	o.document = sync.OnceValues(func() (json.RawMessage, error) { return s.OpenAPI(o.Own...).MarshalJSON() })
	o.page = sync.OnceValues(o.render)
	o.GenerateSchema = NewEndpoint(http.MethodGet, "/open-api/generate-schema", o.generateSchema).
		Describe(Description{Summary: "Get the document of all endpoints", Hidden: true})
	o.Reference = NewEndpoint(http.MethodGet, path, o.reference).
		Describe(Description{Summary: "Show the document of all endpoints", Errors: map[int][]Code{404: nil}, Hidden: true})
	return &Extension{Endpoints: []PluginEndpoint{
		{Name: "generateOpenAPISchema", Endpoint: o.GenerateSchema, ReadOnly: true},
		{Name: "openAPIReference", Endpoint: o.Reference, ReadOnly: true},
	}}, nil
}

func (o *OpenAPI) generateSchema(context.Context, Empty) (json.RawMessage, error) {
	return o.document()
}

// reference is a page that nothing from elsewhere can get into, and that no other page
// can frame.
func (o *OpenAPI) reference(ctx context.Context, _ Empty) (Raw, error) {
	if o.DisableReference {
		return Raw{}, NewError(http.StatusNotFound, "", "")
	}
	page, err := o.page()
	if err != nil {
		return Raw{}, err
	}
	h := ExchangeFrom(ctx).Header()
	h.Set("Content-Security-Policy", page.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	return Raw{"text/html; charset=utf-8", page.html}, nil
}

func (o *OpenAPI) render() (page openAPIPage, err error) {
	text, err := o.document()
	if err != nil {
		return page, err
	}
	var shown openAPIShown
	if err := json.Unmarshal(text, &shown); err != nil {
		return page, err
	}
	var html bytes.Buffer
	if err := openAPITemplate().Execute(&html, shown.view(text, o.Theme, o.Nonce)); err != nil {
		return page, err
	}
	return newOpenAPIPage(html.Bytes())
}

var errNoOpenAPIStyle = errors.New("auth: the page of the plugin open-api has lost its style or its script")
