package auth

import (
	"regexp"
	"strings"
)

// A glob is a compiled pattern of the one wildcard language of this package,
// which trusted origins and rate limit rules share (contract section 9.3). It
// matches whole strings only:
//
//   - any run of characters, also none
//     ?    one character
//     \x   the character x itself
//     **   as a whole segment: any number of segments, also none
//
// Segments are separated by one or more slashes, and slashes at the end of the
// string are ignored. Neither "*" nor "?" matches "/" or "\". Matching takes
// time linear in the string, whatever the pattern.
type glob struct{ expr *regexp.Regexp }

// newGlob has no error to return: every string is a pattern.
func newGlob(pattern string) glob { return glob{regexp.MustCompile(globExpr(pattern))} }

func (g glob) matches(s string) bool { return g.expr.MatchString(s) }

func hasWildcard(pattern string) bool { return strings.ContainsAny(pattern, "*?") }

const globChar = `[^/\\]`

// globExpr translates a pattern into an anchored regular expression. A slash
// is demanded on both sides of "**", so that "/a/**" does not match "/ab", as
// it does in the original.
func globExpr(pattern string) string {
	var expr strings.Builder
	expr.WriteString(`\A`)
	segments := globSegments(pattern)
	separator := ""
	for i, segment := range segments {
		last := i == len(segments)-1
		switch {
		case segment != "**":
			expr.WriteString(separator + segmentExpr(segment))
			separator = `/+`
		case last && i == 0:
			expr.WriteString(`[^\\]*`)
		case last:
			expr.WriteString(`(?:/+[^\\]*)?`)
		default:
			expr.WriteString(separator + `(?:` + globChar + `*/+)*`)
			separator = ""
		}
	}
	if len(pattern) > 1 && strings.HasSuffix(pattern, "/") {
		expr.WriteString(`/+\z`)
	} else {
		expr.WriteString(`/*\z`)
	}
	return expr.String()
}

// globSegments splits at slashes. Runs of slashes and of "**" count once; an
// empty first segment stands for a leading slash.
func globSegments(pattern string) []string {
	var segments []string
	for i, segment := range strings.Split(pattern, "/") {
		repeated := segment == "**" && len(segments) > 0 && segments[len(segments)-1] == "**"
		if i == 0 || segment != "" && !repeated {
			segments = append(segments, segment)
		}
	}
	return segments
}

func segmentExpr(segment string) string {
	var expr strings.Builder
	escaped := false
	for _, c := range segment {
		switch {
		case c == '\\' && !escaped:
			escaped = true
			continue
		case c == '*' && !escaped:
			expr.WriteString(globChar + `*`)
		case c == '?' && !escaped:
			expr.WriteString(globChar)
		default:
			expr.WriteString(regexp.QuoteMeta(string(c)))
		}
		escaped = false
	}
	return expr.String()
}
