package providertest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A verdict is what one side makes of a flow.
type verdict struct {
	failure  string // a code, or thrown: the original ends with status 500
	requests []string
	refresh  []string
}

const (
	thrown   = "thrown"
	anything = "anything" // may come of it here
)

// verdict reads what the original's callback would do with the outcome.
func (o *theirFlow) verdict() verdict {
	v := verdict{requests: lines(o.Exchange.Requests)}
	if o.Profile != nil {
		v.requests = append(v.requests, lines(o.Profile.Requests)...)
	}
	if o.Refresh != nil {
		v.refresh = lines(o.Refresh.Requests)
	}
	switch {
	case o.Exchange.Thrown != "" || o.Exchange.Value == nil:
		v.failure = "invalid_code"
	case o.Profile.Thrown != "":
		v.failure = thrown
	case o.Subject == nil || o.Subject.Thrown != "" || !o.Subject.Value.identifies():
		v.failure = "unable_to_get_user_info"
	case !truthy(o.Profile.Value.User["email"]):
		v.failure = "email_not_found"
	default:
		if _, isText := o.Profile.Value.User["email"].(string); !isText {
			v.failure = anything // it has no lower case, which is status 500
		}
	}
	return v
}

// identifies is stricter than the original, where "true", "[object Object]" and 0
// identify users, all who have such a profile.
func (s theirSubject) identifies() bool {
	return s.Valid && (s.Kind == "string" || s.Kind == "number" && s.ID != "0")
}

// differences says where the two sides disagree, each one with a word in front that
// names the matter.
func (f *flow) differences(ours *ourFlow, theirs *theirFlow) (found []string) {
	differ := func(matter string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			found = append(found, fmt.Sprintf("%s: %v, the original %v", matter, show(got), show(want)))
		}
	}
	if theirs.URL.Thrown != "" {
		differ("no URL", ours.err != nil, true)
		return found
	}
	differ("URL", sorted(ours.url), sorted(theirs.URL.Value))
	if ours.url == "" {
		return found
	}
	want := theirs.verdict()
	if got := lines(ours.requests); ours.failure == "" || len(got) > len(want.requests) || !slices.Equal(got, want.requests[:len(got)]) {
		differ("requests", got, want.requests) // whoever fails may do so early
	}
	switch {
	case want.failure == anything:
	case want.failure == thrown:
		differ("failure", ours.failure != "", true)
	default:
		differ("failure", ours.failure, want.failure)
	}
	if ours.failure != "" || want.failure != "" || ours.user == nil || ours.account == nil {
		return found
	}
	differ("refresh", lines(ours.refresh), want.refresh)
	user := theirs.Profile.Value.User
	differ("name", ours.user.Name, text(user["name"]))
	differ("email", ours.user.Email, strings.ToLower(text(user["email"])))
	differ("emailVerified", ours.user.EmailVerified, user["emailVerified"] == true || user["emailVerified"] == "true")
	differ("image", optional(ours.user.Image), text(user["image"]))
	differ("subject", ours.account.AccountID, theirs.Subject.Value.ID)
	if !f.helper() {
		differ("profile", ours.profile, theirs.Profile.Value.Data)
	}
	tokens := theirs.Exchange.Value
	differ("access token", optional(ours.account.AccessToken), text(tokens.AccessToken))
	differ("refresh token", optional(ours.account.RefreshToken), text(tokens.RefreshToken))
	differ("id_token", optional(ours.account.IDToken), text(tokens.IDToken))
	differ("scope", optional(ours.account.Scope), scope(tokens.Scopes))
	expiry, err := time.Parse(time.RFC3339, text(tokens.AccessTokenExpiresAt))
	if at := ours.account.AccessTokenExpiresAt; (at == nil) != (err != nil) || at != nil && !near(*at, expiry) {
		differ("expiry", at, tokens.AccessTokenExpiresAt)
	}
	return found
}

// helper reports whether the provider is none of the original's own but one of its
// helpers for others, which make a profile of their own and map that.
func (f *flow) helper() bool {
	return slices.Contains([]string{"gumroad", "hubspot", "patreon", "yandex"}, f.id)
}

func show(value any) string {
	if list, ok := value.([]string); ok {
		return "\n\t\t" + strings.Join(list, "\n\t\t")
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(encoded)
}

// text is a value as a column for text takes it: a number is written out, what is no
// text is nothing.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		if v == 0 {
			return "" // not the picture "0"
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func optional(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func scope(list []any) string {
	texts := make([]string, len(list))
	for i, one := range list {
		texts[i] = text(one)
	}
	return strings.Join(texts, ",")
}

func truthy(value any) bool {
	return value != nil && !slices.Contains([]any{false, "", 0.0}, value)
}
