package auth

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// extensions are what the plugins of an instance add.
type extensions []extension

// An extension is what one plugin adds.
type extension struct {
	id string
	Extension
}

// wrong says whose mistake it is.
func (e *extension) wrong(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("auth: plugin %s: %w", e.id, err)
}

// extend asks the plugins what they add. It fills in what they give config by
// default. What is wrong with one is no part of the result. option is where they come
// from, for errors.
func extend(option string, config *Config, s *Services) (all extensions, err error) {
	var errs []error
	seen := make(map[string]bool)
	for i, plugin := range config.Plugins {
		if err := acceptable(plugin, seen); err != nil {
			errs = append(errs, fmt.Errorf("auth: %s[%d] %w", option, i, err))
			continue
		}
		added := extension{id: plugin.ID()}
		seen[added.id] = true
		extended, err := plugin.Extend(s)
		if err != nil {
			errs = append(errs, added.wrong(err))
			continue
		}
		if extended != nil {
			added.Extension = *extended
		}
		errs = append(errs, added.check())
		if added.Defaults != nil {
			added.Defaults(config)
		}
		all = append(all, added)
	}
	return all, errors.Join(append(errs, all.checkSeals())...)
}

// acceptable refuses what cannot be a plugin of this instance.
func acceptable(plugin Plugin, seen map[string]bool) error {
	switch {
	case plugin == nil:
		return errors.New("is nil")
	case isNilPointer(plugin):
		return fmt.Errorf("is a nil %T", plugin)
	case plugin.ID() == "":
		return fmt.Errorf("has no ID, it is a %T", plugin)
	case seen[plugin.ID()]:
		return fmt.Errorf("is the second plugin with the ID %q", plugin.ID())
	case isBound(plugin):
		return fmt.Errorf("%s belongs to another instance already: each needs a value of its own", plugin.ID())
	}
	return nil
}

func isNilPointer(v any) bool {
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

// isBound reports whether a plugin works for an instance: it has the services of
// one, or an endpoint. Extending it again would make the first instance write to
// the store of the second.
func isBound(plugin Plugin) bool {
	v := reflect.Indirect(reflect.ValueOf(plugin))
	if v.Kind() != reflect.Struct {
		return false
	}
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Kind() != reflect.Pointer || f.IsNil():
		case f.Type() == reflect.TypeFor[*Services]() && !f.Elem().FieldByName("core").IsNil():
			return true
		case f.Type().Implements(reflect.TypeFor[Operation]()) && f.Elem().FieldByName("operation").Elem().FieldByName("pipeline").Pointer() != reflect.ValueOf(standalone).Pointer():
			return true
		}
	}
	return false
}

// check reports the mistakes that are in one extension alone, and takes out what
// would be reported again.
func (e *extension) check() error {
	var errs []error
	for _, h := range e.Before {
		errs = append(errs, e.wrong(h.check("Before")))
	}
	for _, h := range e.After {
		errs = append(errs, e.wrong(h.check("After")))
	}
	for _, a := range e.Answers {
		if a.Value == nil {
			errs = append(errs, e.wrong(fmt.Errorf("an answer for %q has no Value", a.Paths)))
		}
	}
	if _, err := newRateRules(e.RateRules); err != nil {
		errs, e.RateRules = append(errs, e.wrong(err)), nil
	}
	if _, err := newTrustedOrigins(nil, e.TrustedOrigins); err != nil {
		errs, e.TrustedOrigins = append(errs, e.wrong(err)), nil
	}
	return errors.Join(errs...)
}

// check refuses a hook that could never run.
func (h *RouteHook) check(list string) error {
	if h.Run == nil {
		return fmt.Errorf("a hook of %s for %q has no Run", list, h.Paths)
	}
	for _, path := range h.Paths {
		if !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "*") {
			return fmt.Errorf("a hook of %s is for the path %q, which does not begin with a slash", list, path)
		}
	}
	return nil
}

func (all extensions) checkSeals() error {
	first := ""
	for _, added := range all {
		switch {
		case added.SessionSeal == nil:
		case first != "":
			return fmt.Errorf("auth: plugins %s and %s both have a SessionSeal", first, added.id)
		default:
			first = added.id
		}
	}
	return nil
}

func (all extensions) databaseHooks() (hooks DatabaseHooks) {
	for _, added := range all {
		hooks = hooks.and(added.DatabaseHooks)
	}
	return hooks
}

func (all extensions) rateRules() (rules []map[string]RateRule) {
	for _, added := range all {
		rules = append(rules, added.RateRules)
	}
	return rules
}

func (all extensions) trustedOrigins() (origins []string) {
	for _, added := range all {
		origins = append(origins, added.TrustedOrigins...)
	}
	return origins
}

func (all extensions) interceptors() (intercept []func(r *http.Request, op Operation) error) {
	for _, added := range all {
		if added.Intercept != nil {
			intercept = append(intercept, added.Intercept)
		}
	}
	return intercept
}

func (all extensions) answers() (answers []RouteAnswer) {
	for _, added := range all {
		answers = append(answers, added.Answers...)
	}
	return answers
}

func (all extensions) sessionSeal() SessionSeal {
	for _, added := range all {
		if added.SessionSeal != nil {
			return added.SessionSeal
		}
	}
	return nil
}

// extend takes what concerns services from the extensions.
func (s *services) extend(all extensions) {
	for _, added := range all {
		if added.Challenge != nil {
			s.challenges = append(s.challenges, added.Challenge)
		}
		if added.Unproven != nil {
			s.unproven = append(s.unproven, added.Unproven)
		}
		if added.SessionToken != nil {
			s.sessionTokens = append(s.sessionTokens, added.SessionToken)
		}
	}
}
