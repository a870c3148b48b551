package conformancetest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// probePluginVariants are about the mechanism of plugins: a plugin that does
// everything, beside one that has hooks only.
var probePluginVariants = []*variant{
	probing("probe", object{}, probeOptions{}, func(*auth.Config) {}),
	probing("probe-cache", object{"session": object{"cookieCache": object{"enabled": true}}}, probeOptions{}, func(c *auth.Config) {
		c.Session.CookieCache.Enabled = true
	}),
	probing("probe-defaults", object{}, probeOptions{ResetLifetime: 10 * time.Minute, SignOut: true}, func(*auth.Config) {}),
	probing("probe-defaults-overridden", object{"emailAndPassword": object{"resetPasswordTokenExpiresIn": 900}}, probeOptions{ResetLifetime: 10 * time.Minute}, func(c *auth.Config) {
		c.EmailPassword.ResetPasswordExpiresIn = 15 * time.Minute
	}),
	probing("probe-limit", object{"rateLimit": object{"enabled": true, "customRules": object{"/probe/plain": object{"window": 60, "max": 3}}}}, probeOptions{}, func(c *auth.Config) {
		c.RateLimit = auth.RateLimit{Rules: map[string]auth.RateRule{"/probe/plain": {Window: time.Minute, Max: 3}}}
	}),
}

// probing has the probe in front of the witness, and rows of the application behind.
func probing(name string, options object, of probeOptions, config func(*auth.Config)) *variant {
	defaults := object{}
	if of.ResetLifetime > 0 {
		defaults["emailAndPassword"] = object{"resetPasswordTokenExpiresIn": int(of.ResetLifetime / time.Second)}
	}
	if of.SignOut {
		defaults["disabledPaths"] = []string{"/sign-out"}
	}
	return &variant{
		name: name,
		options: merge(object{
			"plugins":       [][]any{{"$probe", object{"id": "probe", "defaults": defaults}}, {"$witness", object{"id": "witness"}}},
			"databaseHooks": "$probe rows",
			"hooks":         object{"before": "$application before", "after": "$application after"},
		}, options),
		config: func(c *auth.Config, o *ours) {
			c.Plugins = []auth.Plugin{&probe{o: o, of: of}, &witness{o: o}}
			c.DatabaseHooks = o.probeRows("application")
			c.Hooks = auth.Hooks{Before: o.around("application", "before"), After: o.around("application", "after")}
			config(c)
		},
	}
}

type probeOptions struct {
	ResetLifetime time.Duration
	SignOut       bool // disables /sign-out
}

// A probe is the plugin of plugin_probe.mjs.
type probe struct {
	o     *ours
	of    probeOptions
	items *auth.Records[probeItem]
	s     *auth.Services
}

type probeItem struct {
	ID     string `db:"id"`
	Text   string `db:"text"`
	UserID string `db:"userId"`
}

func (p *probe) ID() string { return "probe" }

func (p *probe) Extend(s *auth.Services) (*auth.Extension, error) {
	p.s = s
	p.items = auth.NewRecords[probeItem](&auth.Table{Name: "probeItem", Columns: []auth.Column{
		{Name: "text", Type: auth.TypeString},
		{Name: "userId", Type: auth.TypeString, References: "user", Index: true},
	}})
	tell := func(what string) auth.Hook {
		return func(x *auth.Exchange) error {
			p.o.tell("probe "+what, "path", x.Operation().Path())
			return nil
		}
	}
	return &auth.Extension{
		Endpoints: p.endpoints(),
		Before: []auth.RouteHook{
			{Run: p.o.around("probe", "before")},
			{Paths: []string{"/probe/item/:item"}, Run: tell("template")},
			{Paths: []string{"/probe/item/7"}, Run: tell("concrete")},
		},
		After:  []auth.RouteHook{{Run: p.o.around("probe", "after")}},
		Tables: []auth.PluginTable{p.items},
		Columns: map[string][]auth.Column{
			"user": {
				{Name: "nickname", Type: auth.TypeString, Optional: true},
				{Name: "rank", Type: auth.TypeNumber, Optional: true, ServerOnly: true, Default: constant(1)},
				{Name: "note", Type: auth.TypeString, Optional: true, Hidden: true},
				{Name: "badge", Type: auth.TypeString, Optional: true, ServerOnly: true},
				{Name: "shout", Type: auth.TypeString, Optional: true, Unique: true, Transform: upper},
			},
			"session": {
				{Name: "device", Type: auth.TypeString, Optional: true},
				{Name: "trust", Type: auth.TypeNumber, Optional: true, ServerOnly: true, Default: constant(3)},
			},
		},
		DatabaseHooks: p.o.probeRows("probe"),
		RateRules: map[string]auth.RateRule{
			"/probe/echo":  {Window: time.Minute, Max: 2},
			"/probe/plain": {Window: time.Minute, Max: 1},
			"/sign-in/**":  {Window: time.Minute, Max: 4},
		},
		TrustedOrigins: []string{"https://probe.test"},
		Defaults: func(c *auth.Config) {
			if c.EmailPassword.ResetPasswordExpiresIn == 0 {
				c.EmailPassword.ResetPasswordExpiresIn = p.of.ResetLifetime
			}
			if c.DisabledPaths == nil && p.of.SignOut {
				c.DisabledPaths = []string{"/sign-out"}
			}
		},
		Intercept: func(r *http.Request, _ auth.Operation) error {
			if r.Header.Get("X-Stop") != "yes" {
				return nil
			}
			return &auth.APIError{Status: http.StatusTeapot, Code: "STOPPED", Message: "Stopped", Header: http.Header{"X-Stopped": {"yes"}}}
		},
	}, nil
}

type (
	probeText struct {
		Text  string `json:"text"`
		Times int    `json:"times,omitempty"`
	}
	probeQuery struct {
		Q string `query:"q,omitempty"`
	}
	probePath struct {
		Item string `path:"item"`
	}
	probeHow struct {
		How string `json:"how"`
	}
	probeKept struct {
		Text string `json:"text"`
	}
)

func (p *probe) endpoints() []auth.PluginEndpoint {
	return []auth.PluginEndpoint{
		{Name: "probeEcho", Endpoint: auth.NewEndpoint("POST", "/probe/echo", p.echo)},
		{Name: "probePlain", Endpoint: auth.NewEndpoint("GET", "/probe/plain", p.plain)},
		{Name: "probeItem", Endpoint: auth.NewEndpoint("GET", "/probe/item/:item", func(_ context.Context, in probePath) (object, error) {
			return object{"item": in.Item}, nil
		})},
		{Name: "probeFail", Endpoint: auth.NewEndpoint("POST", "/probe/fail", p.fail).Describe(auth.Description{Redirects: true})},
		{Name: "probeWho", Session: auth.SessionRequired, Endpoint: auth.NewEndpoint("GET", "/probe/who", p.who)},
		{Name: "probeStored", Session: auth.SessionStored, OptionalBody: true, Endpoint: auth.NewEndpoint("POST", "/probe/stored", p.name)},
		{Name: "probeFresh", Session: auth.SessionFresh, OptionalBody: true, Endpoint: auth.NewEndpoint("POST", "/probe/fresh", p.name)},
		{Name: "probeKeep", Session: auth.SessionRequired, Endpoint: auth.NewEndpoint("POST", "/probe/keep", p.keep)},
		{Name: "probeForm", AcceptForms: true, Endpoint: auth.NewEndpoint("POST", "/probe/form", func(_ context.Context, in probeText) (probeKept, error) {
			return probeKept{in.Text}, nil
		})},
		{Name: "probeSecret", NoStore: true, OptionalBody: true, Endpoint: auth.NewEndpoint("POST", "/probe/secret", func(context.Context, auth.Empty) (object, error) {
			return object{"secret": "s"}, nil
		})},
		{Name: "probeInside", Endpoint: auth.NewEndpoint("POST", "", func(_ context.Context, in probeText) (*probeInside, error) {
			return &probeInside{in.Text, true}, nil
		})},
	}
}

type (
	probeEcho struct {
		Text  string `json:"text"`
		Times int    `json:"times"`
	}
	probeInside struct {
		Text   string `json:"text"`
		Inside bool   `json:"inside"`
	}
	probeWho struct {
		Name     string `json:"name"`
		Nickname any    `json:"nickname"`
		Device   any    `json:"device"`
	}
)

func (p *probe) echo(_ context.Context, in probeText) (*probeEcho, error) {
	return &probeEcho{in.Text, max(in.Times, 1)}, nil
}

func (p *probe) plain(ctx context.Context, in probeQuery) (object, error) {
	x := auth.ExchangeFrom(ctx)
	x.SetExposed("x-plain", "endpoint")
	x.Header().Add("Set-Cookie", "plain=1; Path=/")
	if in.Q == "" {
		return object{"q": nil}, nil
	}
	return object{"q": in.Q}, nil
}

func (p *probe) fail(ctx context.Context, in probeHow) (object, error) {
	x := auth.ExchangeFrom(ctx)
	x.Header().Set("X-Queued", "yes")
	x.Header().Add("Set-Cookie", "failed=1; Path=/")
	switch in.How {
	case "refuse":
		return nil, &auth.APIError{Status: 409, Code: "PROBE_CONFLICT", Message: "Not like that", Header: http.Header{"X-Probe": {"failed"}, "Access-Control-Expose-Headers": {"x-probe"}}}
	case "redirect":
		return nil, x.Redirect("/elsewhere")
	case "break":
		return nil, errors.New("it broke")
	}
	return object{"how": in.How}, nil
}

func (p *probe) who(ctx context.Context, _ auth.Empty) (*probeWho, error) {
	data := auth.SessionFromContext(ctx)
	return &probeWho{data.User.Name, data.User.Fields["nickname"], data.Session.Fields["device"]}, nil
}

func (p *probe) name(ctx context.Context, _ auth.Empty) (object, error) {
	return object{"name": auth.SessionFromContext(ctx).User.Name}, nil
}

func (p *probe) keep(ctx context.Context, in probeKept) (object, error) {
	item := &probeItem{Text: in.Text, UserID: auth.SessionFromContext(ctx).User.ID}
	err := p.items.Insert(ctx, item)
	return object{"id": item.ID}, err
}

// A witness has hooks only.
type witness struct{ o *ours }

func (w *witness) ID() string { return "witness" }

func (w *witness) Extend(*auth.Services) (*auth.Extension, error) {
	return &auth.Extension{
		Before: []auth.RouteHook{{Run: w.o.around("witness", "before")}},
		After:  []auth.RouteHook{{Run: w.o.around("witness", "after")}},
	}, nil
}

// around is a hook that says what it sees and does what a header of the request
// says, one thing after the other.
func (o *ours) around(id, when string) auth.Hook {
	return func(x *auth.Exchange) error {
		o.tellOf(x, id, when)
		for act := range strings.FieldsSeq(x.RequestHeader("X-" + id + "-" + when)) {
			if stop, err := perform(x, act, id, when); stop {
				return err
			}
		}
		return nil
	}
}

func (o *ours) tellOf(x *auth.Exchange, id, when string) {
	data := []any{"path", x.Operation().Path()}
	if when == "before" {
		data = append(data, "text", textOf(x.Input()))
	} else {
		failed, result := 0, x.Output()
		if api := new(auth.APIError); errors.As(x.Failure(), &api) {
			failed = api.Status
		}
		if answer, ok := x.Answered(); ok {
			result = answer
		}
		data = append(data, "failed", failed, "result", textOf(result), "session", auth.NewSessionFromContext(x) != nil)
	}
	o.tell(id+" "+when, data...)
}

// textOf is what hooks look at in inputs and results.
func textOf(v any) string {
	switch v := v.(type) {
	case *probeText:
		return v.Text
	case *probeKept:
		return v.Text
	case **probeEcho:
		if *v != nil {
			return (*v).Text
		}
	case **probeInside:
		if *v != nil {
			return (*v).Text
		}
	case object:
		by, _ := v["by"].(string)
		return by
	}
	return ""
}

// perform does one thing and reports whether it was the last one.
func perform(x *auth.Exchange, act, id, when string) (stop bool, err error) {
	in, _ := x.Input().(*probeText)
	switch act {
	case "answer":
		x.Answer(object{"by": id})
		return true, nil
	case "null":
		if when == "after" { // before an endpoint it is nothing
			x.Answer(nil)
		}
		return true, nil
	case "header":
		x.Header().Set("X-Hook", id+" "+when)
	case "cookie":
		x.Header().Add("Set-Cookie", id+"-"+when+"=1; Path=/")
	case "expose":
		x.SetExposed("x-"+id, when)
	case "edit":
		if in != nil && in.Text != "" {
			in.Text += " " + id
		}
	case "refuse":
		return true, &auth.APIError{Status: 403, Code: "REFUSED", Message: "Refused by " + id, Header: http.Header{
			http.CanonicalHeaderKey("X-Refused-" + id): {when}, "Access-Control-Expose-Headers": {"x-refused-" + id},
		}}
	case "redirect":
		return true, x.Redirect("/from-" + id)
	case "fail":
		return true, errors.New("a hook failed")
	}
	return false, nil
}

// probeRows are hooks around users and sessions that add a word to a text.
func (o *ours) probeRows(id string) auth.DatabaseHooks {
	nickname := func(fields map[string]any) string {
		text, _ := fields["nickname"].(string)
		return text
	}
	tell := func(what string) func(context.Context, *auth.Session) {
		return func(context.Context, *auth.Session) { o.tell(id + " " + what + " of session") }
	}
	ask := func(what string) func(context.Context, *auth.Session) error {
		return func(context.Context, *auth.Session) error {
			o.tell(id + " " + what + " of session")
			return nil
		}
	}
	return auth.DatabaseHooks{
		User: auth.EntityHooks[auth.User]{
			BeforeCreate: func(_ context.Context, u *auth.User) error {
				o.tell(id+" before creation of user", "nickname", nickname(u.Fields))
				switch u.Name {
				case "Refused by " + id:
					return auth.NewError(403, "REFUSED", "No")
				case "Aborted by " + id:
					return auth.ErrAborted
				}
				if text := nickname(u.Fields); text != "" {
					u.Fields["nickname"] = text + " " + id
				}
				return nil
			},
			AfterCreate: func(_ context.Context, u *auth.User) {
				o.tell(id+" after creation of user", "nickname", nickname(u.Fields))
			},
			BeforeUpdate: func(_ context.Context, changes map[string]any) error {
				o.tell(id+" before update of user", "nickname", nickname(changes))
				if text := nickname(changes); strings.HasPrefix(text, "Chain") {
					changes["nickname"] = text + " " + id
				}
				return nil
			},
			AfterUpdate: func(_ context.Context, u *auth.User) {
				o.tell(id+" after update of user", "nickname", nickname(u.Fields))
			},
		},
		Session: auth.EntityHooks[auth.Session]{
			BeforeCreate: ask("before creation"), AfterCreate: tell("after creation"),
			BeforeDelete: ask("before deletion"), AfterDelete: tell("after deletion"),
		},
	}
}
