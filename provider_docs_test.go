package auth

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// documentedProvider is a row of the table of docs/providers.md.
type documentedProvider struct{ id, constructor, scopes, verified, notes string }

func documentedProviders(t *testing.T) (rows []documentedProvider) {
	t.Helper()
	text, err := os.ReadFile("docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| id |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != 5 {
			t.Fatalf("%q has not five cells", line)
		}
		rows = append(rows, documentedProvider{cells[0], strings.Trim(cells[1], "`"), cells[2], cells[3], cells[4]})
	}
	return rows
}

// The page has every provider, and what it says of them is true.
func TestProviderDocs(t *testing.T) {
	named := map[string]string{
		"apple": "Apple", "discord": "Discord", "facebook": "Facebook", "github": "GitHub", "gitlab": "GitLab", "google": "Google",
		"linkedin": "LinkedIn", "microsoft": "Microsoft", "slack": "Slack", "spotify": "Spotify", "twitch": "Twitch", "twitter": "X",
	}
	rows := documentedProviders(t)
	if len(rows) != len(knownProviders) {
		t.Fatalf("the page has %d providers, the table %d", len(rows), len(knownProviders))
	}
	for i, row := range rows {
		k := &knownProviders[i]
		want := documentedProvider{k.id, named[k.id], strings.Join(k.scopes, " "), documentedVerified(k), row.notes}
		if row != want {
			t.Errorf("the page has %+v, the table %+v", row, want)
		}
		for _, mention := range []struct {
			what string
			true bool
		}{
			{"No PKCE", k.plain}, {"`BaseURL`", k.base != "" || k.id == "cognito"}, {"`Tenant`", k.tenant != "" || k.id == "cognito"},
			{"`Environment`", k.environments != nil}, {"without an address are refused", k.needsEmail}, {"No refresh", k.noRefresh},
		} {
			if strings.Contains(row.notes, mention.what) != mention.true {
				t.Errorf("%s: the page says %q: %t", k.id, mention.what, !mention.true)
			}
		}
		for name := range k.params {
			if name != "response_type" && name != "response_mode" && !strings.Contains(row.notes, "`"+name+"`") {
				t.Errorf("%s: the page does not have the parameter %s", k.id, name)
			}
		}
	}
}

// documentedVerified is the word for what the tests of the row show.
func documentedVerified(k *knownProvider) string {
	told := slices.ContainsFunc(rowTests, func(test rowTest) bool {
		return test.id == k.id && test.user.EmailVerified
	})
	switch {
	case told, k.verified != "":
		return "told"
	case k.placeholder != "":
		return "none"
	}
	return "no"
}
