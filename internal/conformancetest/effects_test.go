package conformancetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// effects are what a step has done beside the answer: mails, rows, entries.
func (r *run) effects(s *step) (lines []string) {
	now := r.site.settle(r.t)
	for _, request := range r.provider.takeLog() {
		lines = append(lines, "provider "+r.words.text(request))
	}
	for _, e := range now.Events {
		r.words.chance(e["random"])
	}
	for _, e := range now.Events {
		what, _ := e["what"].(string)
		delete(e, "what")
		if strings.HasPrefix(what, "mail ") {
			r.mail = e
		}
		lines = append(lines, what+" "+r.words.text(jsonText(e)))
	}
	if r.database != nil && r.database.changed() {
		after := r.database.rows()
		lines = append(lines, r.changes(after)...)
		r.rows = after
	}
	for _, e := range now.Storage {
		if !slices.ContainsFunc(r.storage, e.same) {
			lines = append(lines, fmt.Sprintf("entry %s = %s for %v", r.words.text(e.Key), r.words.text(e.Value), e.lifetime()))
		}
	}
	for _, e := range r.storage {
		if !slices.ContainsFunc(now.Storage, func(other entry) bool { return other.Key == e.Key }) {
			lines = append(lines, "no entry "+r.words.text(e.Key))
		}
	}
	r.storage = now.Storage
	return append(lines, r.words.takeStates()...)
}

func (r *run) changes(after []row) (lines []string) {
	for _, now := range after {
		if !slices.Contains(r.rows, now) {
			lines = append(lines, "row "+now.place+": "+r.words.text(now.text))
		}
	}
	for _, before := range r.rows {
		if !slices.ContainsFunc(after, func(now row) bool { return now.place == before.place }) {
			lines = append(lines, "no row "+before.place)
		}
	}
	return lines
}

func jsonText(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSpace(text.String())
}
