package conformancetest

import (
	"fmt"
	"strings"
)

// flow begins a flow at a provider and ends it as the provider would: the rest of
// a step is the provider's id and further members of the body.
func (r *run) flow(s *step, path, rest string) []string {
	id, members, _ := strings.Cut(rest, " ")
	before := r.words.newest("state")
	body := fmt.Sprintf(`{"provider":%q}`, id)
	if inner := strings.TrimSpace(strings.TrimPrefix(members, "{")); inner != "" && inner != "}" {
		body = fmt.Sprintf(`{"provider":%q,%s`, id, inner)
	}
	lines := r.request(s, "POST", path, body)
	lines = append(lines, r.effects(s)...)
	if r.words.newest("state") == before {
		return lines
	}
	callback := fmt.Sprintf("/callback/%s?code=%s&state=%s", id, r.words.newest("code"), r.words.newest("state"))
	return append(lines, r.request(s, "GET", callback, "")...)
}
