package auth

import (
	"errors"
	"reflect"
	"slices"
)

// clientEntities bring the users and sessions in results into the form that they have
// in the process of the server: values of additional columns have their types, and
// their JSON has its order.
type clientEntities struct{ services *services }

// newClientEntities opens the tables of users and sessions without a store.
func newClientEntities(c *clientConfig, added extensions) (*clientEntities, error) {
	s := &services{userFields: additional(slices.Concat(added.columns("user"), c.userFields))}
	s.session.Fields = additional(slices.Concat(added.columns("session"), c.sessionFields))
	return &clientEntities{s}, s.openSessions(DatabaseHooks{}, nil)
}

// settle completes all of them in a result, a *Res.
//
// Errors: a value that its column cannot have, a session without its user.
func (c *clientEntities) settle(output any) error { return c.visit(reflect.ValueOf(output)) }

func (c *clientEntities) visit(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return errors.Join(c.complete(v), c.visit(v.Elem()))
	case reflect.Struct:
		return c.visitFields(v)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := c.visit(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if err := c.visit(v.MapIndex(key)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *clientEntities) visitFields(v reflect.Value) error {
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if err := c.visit(v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

// complete gives what a pointer points to the plan of its table, if it has one.
func (c *clientEntities) complete(v reflect.Value) error {
	switch e := v.Interface().(type) {
	case *User:
		e.plan = c.services.users.plan
		return e.plan.parseExtra(v.Elem())
	case *Session:
		e.plan = c.services.sessions.plan
		return e.plan.parseExtra(v.Elem())
	case *SessionData:
		if e.Session == nil || e.User == nil || e.User.ID == "" || e.User.ID != e.Session.UserID {
			return errors.New("session and user do not belong together")
		}
	}
	return nil
}
