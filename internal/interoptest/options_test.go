package interoptest

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testnode"
)

// Whoever comes from the original finds each of its options in the guide, and what
// the guide names exists on both sides.
func TestEveryOptionIsInTheGuide(t *testing.T) {
	declared := originalOptions(t)
	if len(declared) < 120 {
		t.Fatalf("the original has %d options: %s", len(declared), declared)
	}
	guide := guideRows(t)
	covers := func(name, option string) bool { return name == option || strings.HasPrefix(option, name+".") }
	for _, option := range declared {
		if !slices.ContainsFunc(guide, func(r guideRow) bool {
			return slices.ContainsFunc(r.originals, func(name string) bool { return covers(name, option) })
		}) {
			t.Errorf("the guide does not say what becomes of %s", option)
		}
	}
	for _, r := range guide {
		for _, name := range r.originals {
			if !slices.ContainsFunc(declared, func(option string) bool { return covers(name, option) }) {
				t.Errorf("the original has no option %s", name)
			}
		}
		for _, name := range r.ours {
			if !hasField(reflect.TypeFor[auth.Config](), name) {
				t.Errorf("%s: auth.Config has no %s", r.originals, name)
			}
		}
	}
}

// The same for the options of providers: those of socialProviders and those of the
// plugin genericOAuth.
func TestEveryProviderOptionIsInTheGuide(t *testing.T) {
	declared := providerOptions(t)
	if len(declared) < 45 {
		t.Fatalf("providers of the original have %d options: %s", len(declared), declared)
	}
	guide := tableRows(t, "\n## Provider by provider\n")
	for _, option := range declared {
		if !slices.ContainsFunc(guide, func(r guideRow) bool { return slices.Contains(r.originals, option) }) {
			t.Errorf("the guide does not say what becomes of a provider's %s", option)
		}
	}
	for _, r := range guide {
		for _, name := range r.originals {
			if !slices.Contains(declared, name) {
				t.Errorf("providers of the original have no option %s", name)
			}
		}
		for _, name := range r.ours {
			if !hasField(reflect.TypeFor[auth.Provider](), name) {
				t.Errorf("%s: auth.Provider has no %s", r.originals, name)
			}
		}
	}
}

var (
	providerDeclaration = regexp.MustCompile(`(?ms)^export (?:type ProviderOptions|interface GenericOAuthConfig)<.*?^\}`)
	providerMember      = regexp.MustCompile(`(?m)^  (\w+)\??:`)
)

// providerOptions reads the original's declarations of what a provider has.
func providerOptions(t *testing.T) (options []string) {
	t.Helper()
	modules := filepath.Join(testnode.Install(t, scripts), "..", "node_modules")
	for _, name := range []string{"@better-auth/core/dist/oauth2/oauth-provider.d.mts", "better-auth/dist/plugins/generic-oauth/types.d.mts"} {
		text, err := os.ReadFile(filepath.Join(modules, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range providerMember.FindAllStringSubmatch(providerDeclaration.FindString(string(text)), -1) {
			options = append(options, found[1])
		}
	}
	return options
}

// hasField reports whether a path such as Session.CookieCache.MaxAge leads through
// the fields of a struct.
func hasField(in reflect.Type, path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		if in.Kind() == reflect.Slice || in.Kind() == reflect.Pointer {
			in = in.Elem()
		}
		if in.Kind() != reflect.Struct {
			return false
		}
		field, ok := in.FieldByName(name)
		if !ok {
			return false
		}
		in = field.Type
	}
	return true
}

// A guideRow is one of the option tables: what the original calls it and which
// fields of auth.Config it becomes.
type guideRow struct{ originals, ours []string }

var (
	codeSpan   = regexp.MustCompile("`([^`]*)`")
	configPath = regexp.MustCompile(`^[A-Z]\w*(\.[A-Z]\w*)*$`)
)

func guideRows(t *testing.T) []guideRow {
	t.Helper()
	return tableRows(t, "\n## Option by option\n")
}

// tableRows reads the table below a heading of the guide.
func tableRows(t *testing.T, heading string) (rows []guideRow) {
	t.Helper()
	text, err := os.ReadFile("../../docs/from-typescript.md")
	if err != nil {
		t.Fatal(err)
	}
	_, options, _ := strings.Cut(string(text), heading)
	options, _, _ = strings.Cut(options, "\n## ")
	for line := range strings.Lines(options) {
		cells := strings.SplitN(line, "|", 4)
		if len(cells) < 4 || strings.Contains(line, "|---|") || strings.Contains(cells[1], "original") {
			continue
		}
		var r guideRow
		for _, span := range codeSpan.FindAllStringSubmatch(cells[1], -1) {
			r.originals = append(r.originals, span[1])
		}
		for _, span := range codeSpan.FindAllStringSubmatch(cells[2], -1) {
			if configPath.MatchString(span[1]) {
				r.ours = append(r.ours, span[1])
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// originalOptions reads the original's own declaration of its options: the paths
// of all that have no options below them.
func originalOptions(t *testing.T) []string {
	t.Helper()
	dir := testnode.Install(t, scripts)
	text, err := os.ReadFile(filepath.Join(dir, "..", "node_modules/@better-auth/core/dist/types/init-options.d.mts"))
	if err != nil {
		t.Fatal(err)
	}
	d := declarations{types: make(map[string][]string)}
	d.read(string(text))
	return d.options("", d.types["BetterAuthOptions"])
}

// declarations are the types of a TypeScript file as tokens.
type declarations struct{ types map[string][]string }

var (
	comment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	token   = regexp.MustCompile(`"[^"]*"|=>|[\w$]+|\S`)
	typedef = regexp.MustCompile(`(?ms)^export type (\w+)(?:<[^>]*>)? = (.*?);\s*(?:^export |^type |\z)`)
)

func (d *declarations) read(text string) {
	text = comment.ReplaceAllString(text, "")
	for text != "" {
		at := typedef.FindStringSubmatchIndex(text)
		if at == nil {
			return
		}
		d.types[text[at[2]:at[3]]] = token.FindAllString(text[at[4]:at[5]], -1)
		text = text[at[5]:]
	}
}

// options returns the options of a type: an object's members, those of types that
// it refers to, or, if it has none, the name itself.
func (d *declarations) options(name string, tokens []string) (paths []string) {
	for i := 0; i < len(tokens); i++ {
		switch word := tokens[i]; {
		case word == "{":
			end := closing(tokens, i)
			paths = append(paths, d.members(name, tokens[i+1:end])...)
			i = end
		case word == "(":
			end := closing(tokens, i)
			if end+1 < len(tokens) && tokens[end+1] == "=>" {
				i = len(tokens) // a function: what it takes and returns is no option
				break
			}
			paths = append(paths, d.options(name, tokens[i+1:end])...)
			i = end
		case word == "Omit":
			end := closing(tokens, i+1)
			kept, without := d.options(name, tokens[i+2:end]), join(name, strings.Trim(tokens[end-1], `"`))
			paths = append(paths, slices.DeleteFunc(kept, func(path string) bool { return path == without })...)
			i = end
		case word == "<" && !slices.Contains([]string{"Array", "Optional"}, tokens[i-1]):
			i = closing(tokens, i)
		case d.types[word] != nil && strings.HasSuffix(word, "Options") || word == "BaseURLConfig" || word == "DynamicBaseURLConfig" || word == "BetterAuthRateLimitRule":
			paths = append(paths, d.options("", d.types[word])...)
			for j, path := range paths {
				if path != "" && !strings.HasPrefix(path, name+".") {
					paths[j] = join(name, path)
				}
			}
		}
	}
	paths = slices.DeleteFunc(paths, func(path string) bool { return path == "" })
	if len(paths) == 0 && name != "" {
		return []string{name}
	}
	return paths
}

// members returns the options of the members of an object.
func (d *declarations) members(name string, tokens []string) (paths []string) {
	for len(tokens) > 0 {
		end := next(tokens)
		member := tokens[:end]
		tokens = tokens[min(end+1, len(tokens)):]
		colon := slices.Index(member, ":")
		if colon <= 0 || member[0] == "[" {
			continue // an index signature: names of the application
		}
		paths = append(paths, d.options(join(name, member[0]), member[colon+1:])...)
	}
	return paths
}

func join(name, member string) string {
	if name == "" {
		return member
	}
	return name + "." + member
}

// next is where a member ends.
func next(tokens []string) int {
	for i := 0; i < len(tokens); i++ {
		switch tokens[i] {
		case ";":
			return i
		case "{", "(", "[", "<":
			i = closing(tokens, i)
		}
	}
	return len(tokens)
}

// closing is where the bracket at a place is closed.
func closing(tokens []string, open int) int {
	depth := 0
	for i := open; i < len(tokens); i++ {
		switch tokens[i] {
		case "{", "(", "[", "<":
			depth++
		case "}", ")", "]", ">":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(tokens) - 1
}
