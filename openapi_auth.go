package auth

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
)

// OpenAPI returns the document of every endpoint that the instance has a URL for: the
// core's, the plugins', and own ones, which the application serves elsewhere. Left out
// are DisabledPaths and what is described as Hidden.
//
//	mux.Handle("GET /openapi.json", a.OpenAPI(createItem))
func (a *Auth) OpenAPI(own ...Operation) *OpenAPIDocument {
	return &OpenAPIDocument{
		Title: a.appName, Version: defaultDocumentVersion, Servers: []string{a.documentedURL()},
		source: &instanceSource{a, slices.Clone(own)},
	}
}

// NewOpenAPI returns the document of endpoints that belong to no Auth. Their paths are
// those that they were made with.
func NewOpenAPI(own ...Operation) *OpenAPIDocument {
	return &OpenAPIDocument{Title: "API", Version: defaultDocumentVersion, source: ownSource(slices.Clone(own))}
}

const defaultDocumentVersion = "1.0.0"

// documentedURL is the base URL, or the base path where each request has its own.
func (a *Auth) documentedURL() string {
	if a.core.home != nil {
		return a.core.home.url
	}
	return a.router.base
}

// documentedOrigin is where own endpoints are.
func (a *Auth) documentedOrigin() string {
	if a.core.home != nil {
		return a.core.home.origin
	}
	return "/"
}

// ownSource are endpoints without an Auth.
type ownSource []Operation

func (own ownSource) describe(d *OpenAPIDocument) (*openAPI, error) {
	w := newOpenAPIWriter(d)
	w.overrides = entityOverrides([]*Table{userTable(nil), sessionTable(nil), accountTable()})
	err := w.addOwn(own)
	return w.finish(), err
}

func (w *openAPIWriter) addOwn(own []Operation, servers ...openAPIServer) error {
	for _, op := range own {
		if op.untyped().description.Hidden {
			continue
		}
		if err := w.add(op.untyped(), servers...); err != nil {
			return err
		}
	}
	return nil
}

// instanceSource is an Auth and the application's own endpoints.
type instanceSource struct {
	*Auth
	own []Operation
}

func (s *instanceSource) describe(d *OpenAPIDocument) (*openAPI, error) {
	w := newOpenAPIWriter(d)
	tables := s.documentedTables()
	w.overrides = entityOverrides(tables)
	for _, t := range tables {
		w.components.set(capitalized(t.Name), tableSchema(t))
	}
	s.relaxSession(w)
	w.describeSecurity(s.core)
	w.body, w.answers, w.cookies, w.refusals = s.addColumns, s.answersOf, setsCookies, s.refusals
	for _, op := range s.API.Operations() {
		op := op.untyped()
		if op.path == "" || op.description.Hidden || slices.Contains(s.disabled, op.path) {
			continue
		}
		if err := w.add(op); err != nil {
			return nil, err
		}
	}
	w.body, w.answers, w.cookies, w.refusals, w.security = nil, nil, nil, nil, nil
	err := w.addOwn(s.own, openAPIServer{s.documentedOrigin()})
	return w.finish(), err
}

// relaxSession says that values of additional columns may be absent: nobody sets them
// when a session begins, and outside of a database there is no null for them.
func (s *instanceSource) relaxSession(w *openAPIWriter) {
	schema, _ := w.components.get(capitalized(s.core.sessions.table.Name))
	for i := range s.core.session.Fields {
		if c := &s.core.session.Fields[i]; c.Default == nil {
			schema.Required = slices.DeleteFunc(schema.Required, func(name string) bool { return name == c.Name })
		}
	}
}

// documentedTables are those that are in use, and that of sessions.
func (s *instanceSource) documentedTables() []*Table {
	tables := s.core.tables()
	if !slices.Contains(tables, s.core.sessions.table) {
		tables = slices.Insert(tables, 1, s.core.sessions.table)
	}
	return tables
}

// The names of the security schemes are those of the original.
const (
	cookieScheme = "apiKeyCookie"
	bearerScheme = "bearerAuth"
)

// describeSecurity says how a caller is known: by the session's cookie, and by a token
// in a header if a plugin takes one.
func (w *openAPIWriter) describeSecurity(c *core) {
	schemes := &w.doc.Components.SecuritySchemes
	schemes.set(cookieScheme, openAPISecurityScheme{
		Type: "apiKey", In: "cookie", Name: c.documentedCookie(), Description: "The session, as signing in sets it.",
	})
	w.security = []openAPISecurity{{cookieScheme: {}}}
	if c.takesBearer() {
		schemes.set(bearerScheme, openAPISecurityScheme{
			Type: "http", Scheme: "bearer", Description: "The session's token.",
		})
		w.security = append(w.security, openAPISecurity{bearerScheme: {}})
	}
}

// documentedCookie is the name of the session's cookie. Where each request has its own
// base URL that is the one of https.
func (s *services) documentedCookie() string {
	if s.home != nil {
		return s.home.cookies.tokenCookie.name
	}
	return s.sites.cookies(&url.URL{Scheme: "https", Host: "host"}).tokenCookie.name
}

// takesBearer reports whether a plugin finds a session token in the header
// Authorization (RFC 6750).
func (s *services) takesBearer() bool {
	token := newSessionToken()
	h := http.Header{"Authorization": {"Bearer " + s.signer.signCookie(token)}}
	for _, find := range s.sessionTokens {
		if find(h) == token {
			return true
		}
	}
	return false
}

// addColumns adds the additional columns that clients may set to the bodies that take
// them. (Contract section 15: those of users at sign-up and update-user, those of
// sessions at update-session.)
func (s *instanceSource) addColumns(op *operation, schema *jsonSchema) {
	columns, creating := s.core.userFields, op == s.API.SignUpEmail.operation
	switch op {
	case s.API.SignUpEmail.operation, s.API.UpdateUser.operation:
	case s.API.UpdateSession.operation:
		columns = s.core.session.Fields
	default:
		return
	}
	schema.AdditionalProperties = nil
	for i := range columns {
		c := &columns[i]
		if _, named := schema.Properties.get(c.Name); named || c.ServerOnly {
			continue
		}
		if creating && !c.Optional && c.Default == nil {
			schema.require(c.Name, columnSchema(c))
		} else {
			schema.allow(c.Name, columnSchema(c))
		}
	}
}

// answersOf returns the types of what plugins answer in place of an operation's result.
func (s *instanceSource) answersOf(op *operation) (types []reflect.Type) {
	for _, answer := range s.answers {
		if answer.matches(op.path) {
			types = append(types, reflect.TypeOf(answer.Value))
		}
	}
	return types
}

// refusals are the errors of a request that does not reach an operation: by the rate
// limit, by the check of origins and of where to redirect to.
func (s *instanceSource) refusals(op *operation, method string) map[int][]Code {
	errs := make(map[int][]Code)
	if !s.limiter.disabled {
		errs[http.StatusTooManyRequests] = nil
	}
	if s.core.sites != nil {
		errs[http.StatusMisdirectedRequest] = nil
	}
	if isSafeMethod(method) {
		return errs
	}
	errs[http.StatusForbidden] = []Code{ErrMissingOrNullOrigin, ErrInvalidOrigin}
	for _, f := range redirectFields {
		if op.binding.has("body", f.member) {
			errs[http.StatusForbidden] = append(errs[http.StatusForbidden], f.field.code())
			errs[http.StatusBadRequest] = nil // a URL that is no text
		}
	}
	return errs
}

// setsCookies reports whether an operation may begin, prolong or end a session or a
// flow: it looks at one, changes something, or redirects.
func setsCookies(op *operation, method string) bool {
	return op.asksFor() != authenticationUnused || !isSafeMethod(method) || op.description.Redirects
}

// tableSchema describes a row as clients see it. All columns are there.
func tableSchema(t *Table) *jsonSchema {
	schema := schemaOf("object")
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Hidden {
			continue
		}
		column := columnSchema(c)
		column.ReadOnly = c.ServerOnly
		schema.require(c.Name, column)
	}
	return schema.require(idColumn.Name, &jsonSchema{Type: jsonTypes{"string"}, ReadOnly: true})
}

// columnSchema describes a value of a column. It is nobody else's.
func columnSchema(c *Column) *jsonSchema {
	schema := columnTypeSchema(c)
	if c.Nullable {
		return schema.nullable()
	}
	return schema
}

func columnTypeSchema(c *Column) *jsonSchema {
	switch c.Type {
	case TypeDate:
		return dateSchema()
	case TypeStrings:
		return &jsonSchema{Type: jsonTypes{"array"}, Items: schemaOf("string")}
	case TypeNumbers:
		return &jsonSchema{Type: jsonTypes{"array"}, Items: schemaOf("number")}
	case TypeJSON:
		return &jsonSchema{}
	}
	return schemaOf(string(c.Type))
}

// entityOverrides are the schemas of types that encode themselves. Entities are those
// of the tables, which become components when they are met.
func entityOverrides(tables []*Table) map[reflect.Type]func(*schemas) *jsonSchema {
	entity := func(s *schemas, name string) *jsonSchema {
		i := slices.IndexFunc(tables, func(t *Table) bool { return t.Name == name })
		return s.component(capitalized(name), func() *jsonSchema { return tableSchema(tables[i]) })
	}
	user := func(s *schemas) *jsonSchema { return entity(s, "user") }
	session := func(s *schemas) *jsonSchema { return entity(s, "session") }
	return map[reflect.Type]func(*schemas) *jsonSchema{
		reflect.TypeFor[User]():    user,
		reflect.TypeFor[Session](): session,
		reflect.TypeFor[Account](): func(s *schemas) *jsonSchema { return entity(s, "account") },
		reflect.TypeFor[SessionData](): func(s *schemas) *jsonSchema {
			return s.component("SessionData", func() *jsonSchema {
				return schemaOf("object").
					require("session", session(s)).
					require("user", user(s)).
					allow("needsRefresh", schemaOf("boolean"))
			})
		},
		reflect.TypeFor[VerifyEmailResponse](): func(s *schemas) *jsonSchema {
			return s.component("VerifyEmailResponse", func() *jsonSchema {
				return schemaOf("object").
					require("status", schemaOf("boolean")).
					allow("user", user(s).nullable())
			})
		},
		reflect.TypeFor[AccountRequest](): accountRequestSchema,
		reflect.TypeFor[ProviderUser]():   providerUserSchema,
		reflect.TypeFor[JWK](): func(*schemas) *jsonSchema {
			return schemaOf("object").require("kty", schemaOf("string"))
		},
	}
}

// accountRequestSchema: see AccountRequest.inspect.
func accountRequestSchema(*schemas) *jsonSchema {
	byID := schemaOf("object").require("accountId", schemaOf("string")).allow("userId", schemaOf("string"))
	byCookie := schemaOf("object").
		require("useAccountCookie", &jsonSchema{Type: jsonTypes{"boolean"}, Const: true}).
		allow("userId", schemaOf("string"))
	byID.AdditionalProperties, byCookie.AdditionalProperties = false, false
	return &jsonSchema{AnyOf: []*jsonSchema{byID, byCookie}}
}

func providerUserSchema(s *schemas) *jsonSchema {
	return s.component("ProviderUser", func() *jsonSchema { return s.object(reflect.TypeFor[providerUserMembers]()) })
}
