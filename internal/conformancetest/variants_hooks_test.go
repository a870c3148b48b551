package conformancetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed3b05b409/auth"
)

// hookVariants are about functions of the application around endpoints and rows.
var hookVariants = []*variant{
	{
		name:    "hooks",
		options: object{"hooks": object{"before": "$before", "after": "$after"}},
		config: func(c *auth.Config, o *ours) {
			c.Hooks = auth.Hooks{Before: before, After: o.after}
		},
	},
	databaseHooks("database-hooks", object{}, func(*auth.Config, *ours) {}),
	databaseHooks("database-hooks-hidden-users", object{"emailAndPassword": object{"autoSignIn": false, "onExistingUserSignUp": "$existing"}}, func(c *auth.Config, o *ours) {
		c.EmailPassword.NoAutoSignIn, c.EmailPassword.OnExistingUserSignUp = true, o.existing
	}),
	databaseHooks("database-hooks-secondary", object{"secondaryStorage": "$storage"}, func(c *auth.Config, o *ours) { c.SecondaryStorage = o.storage }),
}

// before does what a request's header says.
func before(x *auth.Exchange) error {
	switch x.RequestHeader("X-Before") {
	case "answer":
		x.Answer(object{"answered": true})
	case "header":
		x.Header().Set("X-Hook", "before")
		x.Header().Add("Set-Cookie", "before=1; Path=/")
	case "alter":
		switch in := x.Input().(type) {
		case *auth.SignUpEmailRequest:
			in.Name, in.Email = "Altered", "altered@example.com"
		case *auth.SignInEmailRequest:
			in.Password = "correct horse"
		}
	case "spoil":
		if in, ok := x.Input().(*auth.SignUpEmailRequest); ok {
			in.Email = "spoilt"
		}
	case "refuse":
		x.Header().Set("X-Hook", "before")
		return &auth.APIError{Status: 403, Code: "REFUSED", Message: "Refused", Header: http.Header{"X-Refused": {"yes"}}}
	case "redirect":
		return x.Redirect("/elsewhere?a=b")
	case "fail":
		return errors.New("a hook failed")
	}
	return nil
}

// after does what a request's header says, and tells how the endpoint ended.
func (o *ours) after(x *auth.Exchange) error {
	failed := 0
	if api := new(auth.APIError); errors.As(x.Failure(), &api) {
		failed = api.Status
	}
	o.tell("after", "path", x.Operation().Path(), "failed", failed)
	switch x.RequestHeader("X-After") {
	case "answer":
		x.Answer(object{"answered": true})
	case "null":
		x.Answer(nil)
	case "header":
		x.Header().Set("X-Hook", "after")
		x.Header().Add("Set-Cookie", "after=1; Path=/")
	case "refuse":
		return &auth.APIError{Status: 403, Code: "REFUSED", Message: "Refused", Header: http.Header{"X-Refused": {"yes"}}}
	case "redirect":
		return x.Redirect("/elsewhere?a=b")
	case "fail":
		return errors.New("a hook failed")
	}
	return nil
}

// existing tells that a user's address was used again, and fails for some users.
func (o *ours) existing(_ context.Context, user *auth.User) error {
	o.tell("existing", "email", user.Email)
	if user.Name == "Oscar" {
		return errors.New("the mail server is down")
	}
	return nil
}

// databaseHooks has hooks around all that happens to rows. What they do a text of
// the row says.
func databaseHooks(name string, options object, config func(*auth.Config, *ours)) *variant {
	return &variant{
		name: name,
		options: merge(object{"databaseHooks": object{
			"user": aroundOptions("user", "name"), "session": aroundOptions("session", "userAgent"),
			"account": aroundOptions("account", "password"), "verification": aroundOptions("verification", "value"),
		}}, options),
		config: func(c *auth.Config, o *ours) {
			c.DatabaseHooks = auth.DatabaseHooks{
				User:         aroundRows(o, "user.name", func(u *auth.User) *string { return &u.Name }),
				Session:      aroundRows(o, "session.userAgent", func(s *auth.Session) *string { return s.UserAgent }),
				Account:      aroundRows(o, "account.password", func(a *auth.Account) *string { return a.Password }),
				Verification: aroundRows(o, "verification.value", func(v *auth.Verification) *string { return &v.Value }),
			}
			config(c, o)
		},
	}
}

// aroundOptions names the hooks of one table.
func aroundOptions(model, key string) object {
	hooks := make(object)
	for _, operation := range []string{"create", "update", "delete"} {
		hooks[operation] = object{
			"before": fmt.Sprintf("$before %s %s.%s", operation, model, key),
			"after":  fmt.Sprintf("$after %s %s.%s", operation, model, key),
		}
	}
	return hooks
}

// aroundRows are the hooks of one table.
func aroundRows[T any](o *ours, column string, text func(*T) *string) auth.EntityHooks[T] {
	before := func(operation string) func(context.Context, *T) error {
		return func(_ context.Context, entity *T) error {
			return o.judge("before "+operation+" "+column, text(entity))
		}
	}
	after := func(operation string) func(context.Context, *T) {
		return func(_ context.Context, entity *T) {
			o.tell("after "+operation+" "+column, "text", *cmp.Or(text(entity), new(string)))
		}
	}
	_, name, _ := strings.Cut(column, ".")
	return auth.EntityHooks[T]{
		BeforeCreate: before("create"), AfterCreate: after("create"),
		BeforeDelete: before("delete"), AfterDelete: after("delete"),
		BeforeUpdate: func(_ context.Context, changes map[string]any) error {
			text, _ := changes[name].(string)
			err := o.judge("before update "+column, &text)
			if _, there := changes[name]; there {
				changes[name] = text
			}
			return err
		},
		AfterUpdate: after("update"),
	}
}

// judge does what the end of a text says.
func (o *ours) judge(what string, text *string) error {
	text = cmp.Or(text, new(string))
	o.tell(what, "text", *text)
	switch {
	case strings.HasSuffix(*text, "Abort"):
		return auth.ErrAborted
	case strings.HasSuffix(*text, "Refuse"):
		return auth.NewError(403, "REFUSED", "Refused")
	case strings.HasSuffix(*text, "Conflict"):
		return auth.NewError(409, "CONFLICTING", "Conflicting")
	case strings.HasSuffix(*text, "Fail"):
		return errors.New("a hook failed")
	case strings.HasSuffix(*text, "Change"):
		*text += "d"
	}
	return nil
}
