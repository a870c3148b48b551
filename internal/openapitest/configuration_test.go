package openapitest

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// origin is where no server is.
const origin = "https://auth.acme.test"

// minimal is a configuration that says what has to be said.
func minimal() auth.Config {
	return auth.Config{BaseURL: origin, Secret: strings.Repeat("secret ", 5), Store: auth.NewMemoryStore()}
}

// everything is one with all plugins, providers and additional columns of every type,
// in which every flow is switched on.
func everything(t testing.TB) auth.Config {
	config := minimal()
	config.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	config.AppName = "Everything"
	config.EmailPassword = auth.EmailPassword{Enabled: true, SendResetPassword: noMail}
	config.EmailVerification = auth.EmailVerification{Send: noMail}
	config.User = auth.UserOptions{
		ChangeEmail: auth.ChangeEmail{Enabled: true},
		Delete:      auth.DeleteUser{Enabled: true},
		Fields: []auth.Column{
			{Name: "nickname", Type: auth.TypeString, Optional: true},
			{Name: "level", Type: auth.TypeNumber, Optional: true},
			{Name: "newsletter", Type: auth.TypeBoolean, Default: func() any { return false }},
			{Name: "birthday", Type: auth.TypeDate, Optional: true},
			{Name: "settings", Type: auth.TypeJSON, Optional: true},
			{Name: "tags", Type: auth.TypeStrings, Optional: true},
			{Name: "scores", Type: auth.TypeNumbers, Optional: true},
			{Name: "badge", Type: auth.TypeString, Optional: true, ServerOnly: true},
			{Name: "note", Type: auth.TypeString, Optional: true, Hidden: true},
		},
	}
	config.Session.Fields = []auth.Column{{Name: "device", Type: auth.TypeString, Optional: true}}
	config.Providers = []auth.Provider{
		auth.Google("id", "secret"),
		auth.GitHub("id", "secret"),
	}
	config.Plugins = []auth.Plugin{
		&auth.Username{}, &auth.MultiSession{}, &auth.OneTimeToken{}, &auth.Bearer{}, &auth.JWT{}, &auth.OpenAPI{},
		&auth.MagicLink{Send: func(context.Context, auth.MagicLinkMail) error { return nil }},
		&auth.EmailOTP{Send: func(context.Context, auth.OTPMail) error { return nil }, EmailChange: auth.OTPEmailChange{Enabled: true}},
		&auth.TwoFactor{OTP: auth.TwoFactorOTPOptions{Send: func(context.Context, *auth.User, string) error { return nil }}},
	}
	return config
}

func noMail(context.Context, auth.Mail) error { return nil }

// Item and its requests are of endpoints that an application has.
type (
	Item struct {
		ID      string         `json:"id"`
		Name    string         `json:"name"`
		Price   float64        `json:"price"`
		Count   int            `json:"count"`
		Kind    string         `json:"kind" check:"oneof=book|record"`
		Made    time.Time      `json:"made"`
		Parts   []Item         `json:"parts,omitempty"`
		Labels  map[string]int `json:"labels,omitempty"`
		Picture []byte         `json:"picture,omitempty"`
		Owner   *auth.User     `json:"owner,omitempty"`
	}
	listItems struct {
		Shelf string `path:"shelf"`
		Limit int    `query:"limit,omitempty"`
		Trace string `header:"X-Trace,omitempty"`
	}
	putItem struct {
		Shelf string                `path:"shelf"`
		ID    string                `path:"id"`
		Name  string                `json:"name" check:"nonempty"`
		Note  auth.Optional[string] `json:"note,omitzero"`
	}
)

// ownEndpoints are those of an application.
func ownEndpoints() []auth.Operation {
	return []auth.Operation{
		auth.NewEndpoint(http.MethodGet, "/shelves/:shelf/items", func(context.Context, listItems) ([]Item, error) { return []Item{}, nil }).
			Describe(auth.Description{Summary: "List the items of a shelf", Tag: "Items", Errors: map[int][]auth.Code{404: {"NO_SHELF"}}}),
		auth.NewEndpoint(http.MethodPut, "/shelves/:shelf/items/:id", func(_ context.Context, in putItem) (*Item, error) {
			return &Item{ID: in.ID, Name: in.Name, Kind: "book"}, nil
		}).Describe(auth.Description{Summary: "Put an item on a shelf", Tag: "Items"}),
	}
}

// documents are those of all configurations, by name.
func documents(t testing.TB) map[string]*auth.OpenAPIDocument {
	t.Helper()
	own := auth.NewOpenAPI(ownEndpoints()...)
	own.Servers = []string{"https://shop.acme.test"}
	return map[string]*auth.OpenAPIDocument{
		"minimal":    newAuth(t, minimal()).OpenAPI(),
		"everything": newAuth(t, everything(t)).OpenAPI(ownEndpoints()...),
		"own":        own,
	}
}

func newAuth(t testing.TB, config auth.Config) *auth.Auth {
	t.Helper()
	a, err := auth.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
