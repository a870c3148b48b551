package auth

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// documentedWorld is an instance with every plugin and additional columns.
func documentedWorld(t *testing.T, configure ...func(*Config)) *world {
	return newWorld(t, append([]func(*Config){func(c *Config) {
		c.User.Fields = []Column{{Name: "nick", Type: TypeString}, {Name: "age", Type: TypeNumber, Optional: true}}
		c.Plugins = []Plugin{
			&Bearer{}, &JWT{}, &TwoFactor{}, &Username{}, &EmailOTP{},
			&MagicLink{Send: func(context.Context, MagicLinkMail) error { return nil }}, &MultiSession{}, &OneTimeToken{},
		}
	}}, configure...)...)
}

// A parsedDocument is what a reader finds in a document.
type parsedDocument struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
	}
}

func parseDocument(t *testing.T, d *OpenAPIDocument) (doc parsedDocument) {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestOpenAPIHasEveryOperation: every endpoint that has a URL is there with all of its
// methods, and none has the id of another.
func TestOpenAPIHasEveryOperation(t *testing.T) {
	w := documentedWorld(t)
	doc := parseDocument(t, w.OpenAPI())
	var ids []string
	for _, item := range doc.Paths {
		for _, op := range item {
			if slices.Contains(ids, op.OperationID) {
				t.Errorf("there are two operations %s", op.OperationID)
			}
			ids = append(ids, op.OperationID)
		}
	}
	n := 0
	for _, op := range w.API.Operations() {
		if op.Path() == "" {
			continue
		}
		for _, method := range op.Methods() {
			n++
			if _, ok := doc.Paths[openAPIPath(op.Path())][strings.ToLower(method)]; !ok {
				t.Errorf("%s %s is not there", method, op.Path())
			}
		}
	}
	if len(ids) != n {
		t.Errorf("there are %d operations, want %d", len(ids), n)
	}
}
