package auth

import (
	"context"
	"maps"
	"slices"
	"testing"
)

// DescriptionOf is what documents say of an operation, for tests outside of the
// package.
func DescriptionOf(op Operation) Description { return op.untyped().description }

// describing is a plugin whose hooks fail.
type describing struct {
	own  *Endpoint[Empty, Empty]
	more []RouteErrors
}

func (d *describing) ID() string { return "describing" }

func (d *describing) Extend(*Services) (*Extension, error) {
	d.own = NewEndpoint("GET", "/describing", func(context.Context, Empty) (Empty, error) { return Empty{}, nil }).Describe(Description{Errors: map[int][]Code{400: {"OWN"}, 404: nil}})
	return &Extension{Endpoints: []PluginEndpoint{{Name: "describing", Endpoint: d.own}}, Errors: d.more}, nil
}

// TestErrorsOfHooks: they stand beside those of the endpoint, and the description of
// one instance is not that of another.
func TestErrorsOfHooks(t *testing.T) {
	d := &describing{more: []RouteErrors{
		{Paths: []string{"/describing", "/sign-in/*"}, Errors: map[int][]Code{400: {"HOOK"}, 418: {"TEAPOT"}}},
		{Paths: []string{"/describing"}, Errors: map[int][]Code{400: nil, 404: {"GONE"}}},
		{Errors: map[int][]Code{402: {"EVERYWHERE"}}},
	}}
	a := newWorld(t, func(c *Config) { c.Plugins = []Plugin{d} })
	want := map[int][]Code{400: {"OWN", "HOOK", ""}, 402: {"EVERYWHERE"}, 404: {"", "GONE"}, 418: {"TEAPOT"}}
	if got := DescriptionOf(d.own).Errors; !maps.EqualFunc(got, want, slices.Equal[[]Code]) {
		t.Errorf("the endpoint fails with %v, want %v", got, want)
	}
	own := newWorld(t).API.SignInEmail.operation.description.Errors
	got := a.API.SignInEmail.operation.description.Errors
	if !slices.Equal(got[400], slices.Concat(own[400], []Code{"HOOK"})) || len(got) != len(own)+2 {
		t.Errorf("sign-in fails with %v, by itself with %v", got, own)
	}
	if got := a.API.SetPassword.operation.description.Errors[402]; len(got) != 1 {
		t.Errorf("no path stands for every endpoint, and set-password has %v", got)
	}
}
