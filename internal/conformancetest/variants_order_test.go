package conformancetest

import (
	"context"
	"maps"
	"slices"

	"github.com/seed3b05b409/auth"
)

// orderVariants record which hooks and callbacks run, in which order.
var orderVariants = []*variant{{
	name: "hook-order",
	options: object{
		"hooks": object{"before": "$order before", "after": "$order after"}, "databaseHooks": "$order rows",
		"emailAndPassword":  object{"onPasswordReset": "$callback reset", "onExistingUserSignUp": "$callback existing"},
		"emailVerification": object{"beforeEmailVerification": "$callback verify", "afterEmailVerification": "$callback verified", "sendOnSignUp": true},
		"user":              object{"deleteUser": object{"beforeDelete": "$callback delete", "afterDelete": "$callback deleted"}},
	},
	config: func(c *auth.Config, o *ours) {
		c.Hooks.Before = o.hook("before")
		c.Hooks.After = o.hook("after")
		c.DatabaseHooks = auth.DatabaseHooks{
			User:         entityHooks(o, "user", func(u *auth.User) any { return u.Email }),
			Session:      entityHooks(o, "session", func(s *auth.Session) any { return s.Token }),
			Account:      entityHooks(o, "account", func(a *auth.Account) any { return a.ProviderID }),
			Verification: entityHooks(o, "verification", func(v *auth.Verification) any { return v.Identifier }),
		}
		c.EmailPassword.OnPasswordReset = o.record("reset")
		c.EmailPassword.OnExistingUserSignUp = o.record("existing")
		c.EmailVerification.BeforeVerification = o.record("verify")
		c.EmailVerification.AfterVerification = o.record("verified")
		c.EmailVerification.SendOnSignUp = true
		c.User.Delete.BeforeDelete = o.record("delete")
		c.User.Delete.AfterDelete = o.record("deleted")
	},
}}

func (o *ours) hook(when string) auth.Hook {
	return func(x *auth.Exchange) error {
		o.tell(when+" the endpoint", "path", x.Operation().Path())
		return nil
	}
}

func (o *ours) record(name string) func(context.Context, *auth.User) error {
	return func(_ context.Context, user *auth.User) error {
		o.tell("callback "+name, "email", user.Email)
		return nil
	}
}

// entityHooks record what happens to the rows of a table.
func entityHooks[T any](o *ours, table string, name func(*T) any) auth.EntityHooks[T] {
	before := func(what string) func(context.Context, *T) error {
		return func(_ context.Context, entity *T) error {
			o.tell("before "+what+" of "+table, "row", name(entity))
			return nil
		}
	}
	after := func(what string) func(context.Context, *T) {
		return func(_ context.Context, entity *T) { o.tell("after "+what+" of "+table, "row", name(entity)) }
	}
	return auth.EntityHooks[T]{
		BeforeCreate: before("creation"), AfterCreate: after("creation"),
		BeforeUpdate: func(_ context.Context, changes map[string]any) error {
			delete(changes, "updatedAt")
			o.tell("before update of "+table, "changes", slices.Sorted(maps.Keys(changes)))
			return nil
		},
		AfterUpdate:  after("update"),
		BeforeDelete: before("deletion"), AfterDelete: after("deletion"),
	}
}
