package auth

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// redirectWith returns target as an absolute URL, a path being one on the
// own origin, with parameters set: one of the same name is
// replaced, the others are kept but encoded anew (contract section 4.13). The
// parameters are names and values in turn.
//
// Errors: what is neither a path nor an absolute URL that all parsers read in
// the same way is an error even when the origin check is disabled.
func redirectWith(own, target string, params ...string) (string, error) {
	u, err := parseCallbackURL(target)
	if err != nil {
		return "", err
	}
	if u.origin == "" {
		u.origin = own
	}
	if len(params) > 0 {
		u.query = "?" + setFormParams(u.query, formParams(params))
	}
	return u.String(), nil
}

// appendQuery returns target, a callback or error URL, with parameters appended
// before its fragment. A path stays a path, and the query that is there is
// kept as it is (contract sections 4.2 and 4.19). The parameters are names and
// values in turn. A target that redirectWith would not accept, possible only
// where the origin check is disabled, is returned as it is.
func appendQuery(target string, params ...string) string {
	u, err := parseCallbackURL(target)
	if err != nil || len(params) == 0 {
		return target
	}
	separator := "&"
	switch {
	case len(u.query) <= 1:
		separator, u.query = "?", ""
	case strings.HasSuffix(u.query, "&"):
		separator = ""
	}
	u.query += separator + encodeForm(formParams(params))
	return u.String()
}

// A callbackURL is a URL that a response redirects to, in the parts that
// builders change, each encoded as the URL standard serialises it.
type callbackURL struct {
	origin   string // scheme and authority; empty for a path
	path     string
	query    string // with its "?", or empty
	fragment string // with its "#", or empty
}

func (u callbackURL) String() string { return u.origin + u.path + u.query + u.fragment }

func parseCallbackURL(value string) (callbackURL, error) {
	if isLocalPath(value) {
		return newCallbackURL("", strings.TrimRight(value, " "), webQuerySet), nil
	}
	l, ok := parseLocation(value)
	if !ok {
		return callbackURL{}, fmt.Errorf("auth: cannot redirect to %q", value)
	}
	_, rest, _ := strings.Cut(value, ":")
	authority, rest, hasAuthority := cutAuthority(rest)
	switch {
	case l.web():
		return newCallbackURL(l.origin(), rest, webQuerySet), nil
	case hasAuthority:
		return newCallbackURL(l.scheme+"://"+authority, rest, querySet), nil
	}
	return newCallbackURL(l.scheme+":", rest, querySet), nil
}

// Characters that the URL standard percent-encodes in each part, besides
// control characters and everything outside ASCII.
const (
	pathSet     = " \"#<>?`{}"
	querySet    = " \"#<>"
	webQuerySet = " \"#<>'"
	fragmentSet = " \"<>`"
)

func newCallbackURL(origin, reference, querySet string) callbackURL {
	path, query, fragment := splitReference(reference)
	isWeb := querySet == webQuerySet
	switch {
	case path == "" && isWeb:
		path = "/"
	case strings.HasPrefix(path, "/") && !strings.HasSuffix(origin, ":"): // "app:/.//x" is not "app://x"
		path = resolveDots(path)
	}
	u := callbackURL{origin: origin, path: percentEncode(path, pathSet)}
	if query != "" {
		u.query = "?" + percentEncode(query[1:], querySet)
	}
	if fragment != "" {
		u.fragment = "#" + percentEncode(fragment[1:], fragmentSet)
	}
	return u
}

// resolveDots removes the segments "." and ".." from a path that starts with a
// slash, also where their dots are percent-encoded.
func resolveDots(path string) string {
	segments := strings.Split(path[1:], "/")
	resolved := make([]string, 0, len(segments))
	for i, segment := range segments {
		dots := strings.ReplaceAll(strings.ToLower(segment), "%2e", ".")
		if dots != "." && dots != ".." {
			resolved = append(resolved, segment)
			continue
		}
		if dots == ".." {
			resolved = resolved[:max(len(resolved)-1, 0)]
		}
		if i == len(segments)-1 {
			resolved = append(resolved, "")
		}
	}
	return "/" + strings.Join(resolved, "/")
}

func formParams(namesAndValues []string) []param {
	var params []param
	for pair := range slices.Chunk(namesAndValues, 2) {
		params = append(params, param{pair[0], pair[1]})
	}
	return params
}

// setFormParams returns the form encoding of query with params set.
func setFormParams(query string, params []param) string {
	pairs := decodeForm(strings.TrimPrefix(query, "?"))
	for _, param := range params {
		pairs = setFormParam(pairs, param)
	}
	return encodeForm(pairs)
}

// setFormParam gives the first pair of that name the value and drops the
// others; without one it appends.
func setFormParam(pairs []param, param param) []param {
	kept, found := pairs[:0], false
	for _, pair := range pairs {
		if pair.name == param.name {
			if found {
				continue
			}
			pair, found = param, true
		}
		kept = append(kept, pair)
	}
	if !found {
		kept = append(kept, param)
	}
	return kept
}

// encodeForm encodes as application/x-www-form-urlencoded.
func encodeForm(pairs []param) string {
	encoded := make([]string, len(pairs))
	for i, pair := range pairs {
		encoded[i] = encodeFormText(pair.name) + "=" + encodeFormText(pair.value)
	}
	return strings.Join(encoded, "&")
}

// encodeFormText is in the spelling of the URL standard, which differs from that
// of net/url in "*" and "~".
func encodeFormText(text string) string {
	return formSpelling.Replace(url.QueryEscape(text))
}

var formSpelling = strings.NewReplacer("%2A", "*", "~", "%7E")

// orRoot is the target that a link in a mail falls back to.
func orRoot(callbackURL string) string {
	if callbackURL == "" {
		return "/"
	}
	return callbackURL
}
