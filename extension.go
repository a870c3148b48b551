package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// extensions are what the plugins of an instance add.
type extensions []*Extension

// extend asks the plugins what they add. It fills in what they give config by
// default.
func extend(config *Config, s *Services) (extensions, error) {
	var all extensions
	seen := make(map[string]bool)
	for _, plugin := range config.Plugins {
		if plugin == nil || plugin.ID() == "" || seen[plugin.ID()] {
			return nil, fmt.Errorf("auth: Config.Plugins: %v is nil, has no ID or is there twice", plugin)
		}
		seen[plugin.ID()] = true
		added, err := plugin.Extend(s)
		if err != nil {
			return nil, fmt.Errorf("auth: plugin %s: %w", plugin.ID(), err)
		}
		if added == nil {
			added = &Extension{}
		}
		if added.Defaults != nil {
			added.Defaults(config)
		}
		all = append(all, added)
	}
	return all, nil
}

func (all extensions) columns(table string) (columns []Column) {
	for _, added := range all {
		columns = append(columns, added.Columns[table]...)
	}
	return columns
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

func (all extensions) sessionSeal() (seal SessionSeal) {
	for _, added := range all {
		if added.SessionSeal != nil {
			seal = added.SessionSeal
		}
	}
	return seal
}

// extend takes what concerns services from the extensions.
func (s *services) extend(all extensions) {
	for _, added := range all {
		if added.Challenge != nil {
			s.challenges = append(s.challenges, added.Challenge)
		}
		if added.SessionToken != nil {
			s.sessionTokens = append(s.sessionTokens, added.SessionToken)
		}
		s.pluginTables = append(s.pluginTables, added.Tables...)
	}
}

// openPluginTables opens the plugins' own tables, with the columns that others add
// to them, and refuses columns of tables that there are not.
func (s *services) openPluginTables(all extensions) error {
	known := map[string]*Table{"user": nil, "session": nil}
	var errs []error
	for _, opened := range s.pluginTables {
		t := opened.table()
		if t == nil {
			errs = append(errs, errors.New("auth: a plugin's table is nil"))
			continue
		}
		if _, taken := known[t.Name]; taken || s.ownTable(t.Name) {
			errs = append(errs, fmt.Errorf("auth: table %s of a plugin is there already", t.Name))
		}
		known[t.Name] = t
	}
	for _, added := range all {
		for name, columns := range added.Columns {
			t, there := known[name]
			if !there {
				errs = append(errs, fmt.Errorf("auth: a plugin adds columns to table %s: there is none, or it cannot have any", name))
			} else if t != nil {
				t.Columns = append(t.Columns, columns...)
			}
		}
	}
	for _, t := range s.pluginTables {
		if t.table() != nil {
			errs = append(errs, t.open(s))
		}
	}
	return errors.Join(errs...)
}

func (s *services) ownTable(name string) bool {
	switch name {
	case "account", "verification", "rateLimit":
		return true
	}
	return false
}

// install adds the plugins' endpoints to the API and their hooks to all endpoints.
func (all extensions) install(api *API, c *core, p *pipeline) error {
	var errs []error
	for _, added := range all {
		for _, declared := range added.Endpoints {
			errs = append(errs, api.add(declared, c, p))
		}
	}
	for _, op := range api.Operations() {
		all.hook(op.untyped())
	}
	return errors.Join(errs...)
}

// add is where an endpoint of a plugin becomes one of the instance.
func (api *API) add(declared PluginEndpoint, c *core, p *pipeline) error {
	if declared.Endpoint == nil || declared.Name == "" {
		return fmt.Errorf("auth: a plugin's endpoint %q has no name or no function", declared.Name)
	}
	op := declared.Endpoint.untyped()
	switch {
	case op.pipeline != standalone:
		return fmt.Errorf("auth: endpoint %s belongs to another instance already", declared.Name)
	case op.path != "" && !strings.HasPrefix(op.path, "/"):
		return fmt.Errorf("auth: the path %q of endpoint %s does not begin with a slash", op.path, declared.Name)
	}
	for _, other := range api.Operations() {
		if other.Name() == declared.Name {
			return fmt.Errorf("auth: there are two endpoints %s", declared.Name)
		}
		for _, method := range op.methods {
			if op.path != "" && op.path == other.Path() && other.untyped().answers(method) {
				return fmt.Errorf("auth: endpoints %s and %s are both %s %s", other.Name(), declared.Name, method, op.path)
			}
		}
	}
	if err := declared.require(op.binding); err != nil {
		return err
	}
	op.pipeline, op.name = p, declared.Name
	op.form, op.bodyOptional, op.noStore = declared.AcceptForms, declared.OptionalBody, declared.NoStore
	op.use = declared.checks(c)
	api.plugins = append(api.plugins, declared.Endpoint)
	return nil
}

// require makes members of the body required.
func (e *PluginEndpoint) require(b *binding) error {
	for _, member := range e.Require {
		f := b.field(member)
		if f == nil {
			return fmt.Errorf("auth: endpoint %s has no member %q to require", e.Name, member)
		}
		f.required = true
	}
	return nil
}

// checks are those in front of the endpoint's function, in their order.
func (e *PluginEndpoint) checks(c *core) (use []check) {
	if e.NeedHeaders {
		use = append(use, requireHeaders)
	}
	if e.FormGuard {
		use = append(use, c.guardForm)
	}
	for _, name := range e.RedirectQuery {
		use = append(use, c.guardQuery(name))
	}
	switch e.Session {
	case SessionRequired:
		use = append(use, c.requireSession)
	case SessionStored:
		use = append(use, c.requireStoredSession)
	case SessionFresh:
		use = append(use, c.requireFreshSession)
	}
	return use
}

// hook gives an operation the hooks that are for its path.
func (all extensions) hook(op *operation) {
	for _, added := range all {
		for _, h := range added.Before {
			if h.matches(op.path) {
				op.routeBefore = append(op.routeBefore, h.Run)
			}
		}
		for _, h := range added.After {
			if h.matches(op.path) {
				op.routeAfter = append(op.routeAfter, h.Run)
			}
		}
	}
}
