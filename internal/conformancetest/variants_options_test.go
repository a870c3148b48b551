package conformancetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/seed3b05b409/auth"
)

// optionVariants are about functions and options that few configurations have.
var optionVariants = []*variant{
	{
		name:    "dynamic",
		site:    "https://a.auth.test",
		options: object{"baseURL": object{"allowedHosts": []string{"*.auth.test", "other.test"}, "protocol": "https"}},
		config: func(c *auth.Config, _ *ours) {
			c.BaseURL, c.DynamicBaseURL = "", auth.DynamicBaseURL{AllowedHosts: []string{"*.auth.test", "other.test"}, Protocol: "https"}
		},
	},
	{
		name: "dynamic-fallback",
		site: "http://a.auth.test",
		options: object{
			"baseURL":  object{"allowedHosts": []string{"a.auth.test", "localhost:3000"}, "protocol": "http", "fallback": "http://fallback.test"},
			"advanced": object{"crossSubDomainCookies": object{"enabled": true}},
		},
		config: func(c *auth.Config, _ *ours) {
			c.BaseURL, c.DynamicBaseURL = "", auth.DynamicBaseURL{
				AllowedHosts: []string{"a.auth.test", "localhost:3000"}, Protocol: "http", Fallback: "http://fallback.test",
			}
			c.Cookies.CrossSubDomain = true
		},
	},
	{
		name:    "validation",
		options: object{"user": object{"validateUserInfo": "$validate"}},
		config:  func(c *auth.Config, o *ours) { c.User.ValidateInfo = o.validate },
	},
	{
		name: "validation-hidden",
		options: object{
			"user": object{
				"validateUserInfo": "$validate",
				"additionalFields": object{"plan": object{"type": "string", "required": false, "input": false}},
			},
			"emailAndPassword": object{"autoSignIn": false, "customSyntheticUser": "$synthetic"},
		},
		config: func(c *auth.Config, o *ours) {
			c.User.ValidateInfo = o.validate
			c.User.Fields = []auth.Column{{Name: "plan", Type: auth.TypeString, Optional: true, ServerOnly: true}}
			c.EmailPassword.NoAutoSignIn = true
			c.EmailPassword.SyntheticUser = func(_ context.Context, user *auth.User) {
				user.Fields = map[string]any{"plan": "made up", "unknown": 1}
			}
		},
	},
	{
		name:    "hashed-identifiers",
		options: object{"verification": object{"storeIdentifier": "hashed", "disableCleanup": true}},
		config: func(c *auth.Config, _ *ours) {
			c.Verification.StoreIdentifier, c.Verification.DisableCleanup = auth.HashIdentifier, true
		},
	},
	{
		name:    "hashed-resets",
		options: object{"verification": object{"storeIdentifier": object{"default": "plain", "overrides": object{"reset-password:": "hashed"}}}, "secondaryStorage": "$storage"},
		config: func(c *auth.Config, o *ours) {
			c.SecondaryStorage = o.storage
			c.Verification.StoreIdentifier = func(identifier string) string {
				if strings.HasPrefix(identifier, "reset-password:") {
					return auth.HashIdentifier(identifier)
				}
				return identifier
			}
		},
	},
	{
		name:    "own-ids",
		options: object{"advanced": object{"database": object{"generateId": "$ids"}}},
		config:  func(c *auth.Config, _ *ours) { c.NewID = ids() },
	},
	{
		name:    "rules-by-request",
		options: object{"rateLimit": object{"enabled": true, "window": 60, "max": 1, "customRules": object{"/*": "$rule", "/list-*": "$rule"}}},
		config: func(c *auth.Config, _ *ours) {
			c.RateLimit = auth.RateLimit{Window: time.Minute, Max: 1, RuleFunc: func(r *http.Request, _ string, rule auth.RateRule) auth.RateRule {
				switch r.Header.Get("X-Partner") {
				case "free":
					return auth.RateRule{Unlimited: true}
				case "more":
					return auth.RateRule{Window: rule.Window, Max: rule.Max + 1}
				}
				return rule
			}}
		},
	},
	{
		name:    "errors",
		options: object{"onAPIError": object{"onError": "$error", "errorURL": "/failed?a=1#b"}, "hooks": object{"before": "$refuse"}},
		config: func(c *auth.Config, o *ours) {
			c.ErrorPage.URL = "/failed?a=1#b"
			c.OnError = func(_ context.Context, err error) {
				api := new(auth.APIError)
				if errors.As(err, &api) {
					o.tell("error", "status", api.Status, "message", api.Message)
				} else {
					o.tell("error", "status", 500, "message", "")
				}
			}
			c.Hooks.Before = func(x *auth.Exchange) error {
				switch x.RequestHeader("X-Hook") {
				case "refuse":
					return auth.NewError(409, "NOT_NOW", "Not now")
				case "fail":
					return errors.New("a hook failed")
				}
				return nil
			}
		},
	},
}

// ids counts the rows of each table.
func ids() func(table string) string {
	var mu sync.Mutex
	last := make(map[string]int)
	return func(table string) string {
		mu.Lock()
		defer mu.Unlock()
		last[table]++
		return fmt.Sprintf("%s-%d", table, last[table])
	}
}

// validate refuses some names, and fails for one.
func (o *ours) validate(_ context.Context, user *auth.User, source auth.UserSource) error {
	data := []any{"name", user.Name, "email", user.Email, "method", source.Method, "action", source.Action}
	if source.Method == "oauth" {
		data = append(data, "provider", source.ProviderID, "subject", source.Profile["sub"])
	}
	o.tell("validate", data...)
	switch user.Name {
	case "Mallory":
		return auth.NewError(403, "not_invited", "Only with an invitation")
	case "Trudy":
		return auth.Code("not_invited")
	case "Oscar":
		return errors.New("the list is gone")
	}
	return nil
}
