package auth_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A floor is a layer of the package. A file may use what its own floor and
// those below it declare, nothing from above.
type floor int

const (
	kernelFloor   floor = iota // operations over HTTP and as functions; knows no users
	storageFloor               // rows and tables; knows no HTTP
	serviceFloor               // cookies, tokens, passwords, sessions, guards
	endpointFloor              // the operations of the core
	authFloor                  // Config, New, routing, API
	pluginFloor                // plugins
)

func (f floor) String() string {
	return [...]string{"kernel", "storage", "services", "endpoints", "auth", "plugins"}[f]
}

// house says on which floor each file is. The files of plugins, plugin_*.go,
// need no entry.
var house = map[floor]string{
	kernelFloor: `apierror binding binding_nested body call describe doc endpoint exchange form json
		openapi openapi_model openapi_operation openapi_response openapi_schema optional pipeline
		remote remote_header remote_proxy remote_request remote_response remote_send remote_text response utf8 validate`,

	storageFloor: `condition entity entity_field entity_json id naming row store store_memory store_memory_table
		store_memory_tx store_memory_view store_sql store_sql_dialect store_sql_mysql
		store_sql_postgresql store_sql_rollback store_sql_run store_sql_schema store_sql_sqlite store_sql_table store_sql_text
		store_sql_tx store_sql_value store_sql_write table transaction value`,

	serviceFloor: `account account_linking account_oauth base_url callback_code callback_url client_address client_assertion
		challenge cookie cookie_cache cookie_chunk cookie_signed cookie_value
		cleanup database_hooks event event_name exchange_cookie field_input glob guard jwe jwt location lock_stripes origin
		id_token jwk jwk_private jws key_set
		password password_argon2
		password_scrypt rate_limit rate_limit_database rate_limit_secondary secondary_storage secret services
		account_cookie envelope oauth_authorize oauth_discovery oauth_profile oauth_provider oauth_state oauth_token
		outgoing outgoing_guard provider provider_known provider_named provider_quirks provider_quirks_openid provider_table records
		session session_cookie session_read session_shared session_store site social_error token trusted_origin
		user user_validation verification verifier_remote`,

	endpointFloor: `account_endpoints account_refresh account_tokens change_email core delete_user password_change password_length
		password_reset session_endpoints sign_in sign_up social_callback social_link social_sign_in social_sign_out social_user status update_user verify_email`,

	authFloor: `api api_descriptions auth diagnose diagnose_cookie diagnose_origin client client_config client_cookies client_entities client_plugins client_session
		config config_check config_cookies extension extension_endpoints extension_tables openapi_auth plugin router schema service service_cookies
		service_secrets service_sessions service_users service_verifications verifier verifier_config`,
}

// TestLayers holds the walls of the house: what one file takes from another
// lies on its own floor or below. A file that is not in the list fails, so that
// its author decides where it belongs.
func TestLayers(t *testing.T) {
	floors := floorPlan(t)
	source := loadPackage(t)
	for _, use := range source.uses() {
		from, to := floors[use.user], floors[use.owner]
		if from < to {
			t.Errorf("%s (%v) uses %s of %s (%v)", use.position, from, use.name, use.owner, to)
		}
	}
}

// TestPluginsUseWhatOthersCan: a plugin of this package could have been written
// elsewhere. Of the core it uses exported names only, and the core names none.
func TestPluginsUseWhatOthersCan(t *testing.T) {
	floors := floorPlan(t)
	source := loadPackage(t)
	for _, use := range source.uses() {
		if floors[use.user] == pluginFloor && floors[use.owner] != pluginFloor && !use.exported {
			t.Errorf("%s uses %s of %s, which no other package can", use.position, use.name, use.owner)
		}
	}
}

// TestLayersStorageKnowsNoHTTP: a store can be written, tested and used by
// somebody who never heard of requests.
func TestLayersStorageKnowsNoHTTP(t *testing.T) {
	floors := floorPlan(t)
	source := loadPackage(t)
	for _, file := range source.files {
		name := source.fileName(file.Pos())
		for _, spec := range file.Imports {
			if floors[name] == storageFloor && strings.HasPrefix(spec.Path.Value, `"net/http`) {
				t.Errorf("%s (storage) imports %s", name, spec.Path.Value)
			}
		}
	}
}

// floorPlan returns the floor of every source file of the package.
func floorPlan(t *testing.T) map[string]floor {
	t.Helper()
	listed := make(map[string]floor)
	for f, names := range house {
		for name := range strings.FieldsSeq(names) {
			listed[name+".go"] = f
		}
	}
	floors := make(map[string]floor)
	for _, name := range sourceFiles(t) {
		f, ok := listed[name]
		switch {
		case ok:
			floors[name] = f
		case strings.HasPrefix(name, "plugin_"):
			floors[name] = pluginFloor
		default:
			t.Errorf("%s has no floor: add it to house in layers_test.go", name)
		}
		delete(listed, name)
	}
	for name := range listed {
		t.Errorf("%s has a floor but is no file", name)
	}
	return floors
}

func sourceFiles(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}

// sourcePackage is the package with its types.
type sourcePackage struct {
	set   *token.FileSet
	files []*ast.File
	types *types.Package
	info  types.Info
}

func loadPackage(t *testing.T) *sourcePackage {
	t.Helper()
	p := &sourcePackage{set: token.NewFileSet(), info: types.Info{
		Uses: make(map[*ast.Ident]types.Object), Defs: make(map[*ast.Ident]types.Object), Types: make(map[ast.Expr]types.TypeAndValue),
	}}
	for _, name := range sourceFiles(t) {
		file, err := parser.ParseFile(p.set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		p.files = append(p.files, file)
	}
	config := types.Config{Importer: compiledImporter(t, p.set)}
	var err error
	if p.types, err = config.Check("auth", p.set, p.files, &p.info); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *sourcePackage) fileName(pos token.Pos) string { return p.set.Position(pos).Filename }

// A layerUse is one identifier that stands for something another file declares.
type layerUse struct {
	position    token.Position
	name        string
	exported    bool
	user, owner string // files
}

// uses returns those of package-level declarations, methods and fields.
func (p *sourcePackage) uses() []layerUse {
	var uses []layerUse
	for ident, object := range p.info.Uses {
		if object.Pkg() != p.types || !p.shared(object) {
			continue
		}
		position := p.set.Position(ident.Pos())
		if owner := p.fileName(object.Pos()); owner != position.Filename {
			uses = append(uses, layerUse{position, describe(object), object.Exported(), position.Filename, owner})
		}
	}
	slices.SortFunc(uses, func(a, b layerUse) int {
		return strings.Compare(a.position.String(), b.position.String())
	})
	return uses
}

// shared reports whether other files can name the object.
func (p *sourcePackage) shared(object types.Object) bool {
	switch o := object.(type) {
	case *types.Func:
		return true
	case *types.Var:
		return o.IsField() || o.Parent() == p.types.Scope()
	}
	return object.Parent() == p.types.Scope()
}

func describe(object types.Object) string {
	if f, ok := object.(*types.Func); ok {
		if receiver := f.Signature().Recv(); receiver != nil {
			return fmt.Sprintf("(%s).%s", types.TypeString(receiver.Type(), types.RelativeTo(f.Pkg())), f.Name())
		}
	}
	return object.Name()
}

// compiledImporter finds the packages that this one is built on, and itself, as the
// go command compiled them.
func compiledImporter(t *testing.T, set *token.FileSet) types.Importer {
	t.Helper()
	exports := make(map[string]string)
	var complaints bytes.Buffer
	list := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", ".")
	list.Stderr = &complaints
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaints.String())
	}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	return importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		file, ok := exports[path]
		if !ok {
			return nil, fmt.Errorf("no package %q among %v", path, slices.Sorted(maps.Keys(exports)))
		}
		return os.Open(file)
	})
}
