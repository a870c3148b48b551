package auth

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// emailSyntax is the pattern that the original's clients and servers use: ASCII
// only, one @, no leading, trailing or doubled dot in the local part, a domain
// with at least one dot and a top level of letters.
var emailSyntax = regexp.MustCompile(
	`^(?:[A-Za-z0-9_'+\-]+\.)*[A-Za-z0-9_'+\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$`)

// review reports what is wrong with in, a *Req: the issues found by decoding
// that no hook has mended since, then the constraints of its fields, then its
// own Validate method.
func (b *binding) review(in any, issues []issue) error {
	if len(issues) == 0 && !b.checked && !b.validate {
		return nil
	}
	value := reflect.ValueOf(in).Elem()
	var texts []string
	for _, i := range issues {
		if i.field == nil {
			texts = append(texts, i.String())
		}
	}
	if len(texts) > 0 {
		return validationError(texts)
	}
	for i := range b.fields {
		f := &b.fields[i]
		texts = append(texts, f.review(value, issues)...)
	}
	switch {
	case len(texts) > 0:
		return validationError(texts)
	case b.validate:
		return clientError(in.(validator).Validate())
	}
	return nil
}

func validationError(texts []string) error {
	return NewError(http.StatusBadRequest, ErrValidation, strings.Join(texts, "; "))
}

func (f *field) review(in reflect.Value, issues []issue) (texts []string) {
	value := in.FieldByIndex(f.index)
	for _, i := range issues {
		if i.field == f && value.IsZero() {
			if options, ok := strings.CutPrefix(f.check, checkOneOf); ok {
				i.text = invalidOption(options)
			}
			texts = append(texts, i.String())
		}
	}
	if len(texts) > 0 || f.check == "" || !f.required && value.IsZero() {
		return texts
	}
	if text := checkText(f.check, value.String()); text != "" {
		return []string{f.issue(text).String()}
	}
	return nil
}

func checkText(check, value string) string {
	switch {
	case check == "email" && !emailSyntax.MatchString(value):
		return "Invalid email address"
	case check == "nonempty" && value == "":
		return "Too small: expected string to have >=1 characters"
	}
	if options, ok := strings.CutPrefix(check, checkOneOf); ok && !slices.Contains(strings.Split(options, "|"), value) {
		return invalidOption(options)
	}
	return ""
}

// checkNonnull is the check of a pointer, slice or map that null does not stand for.
const checkNonnull = "nonnull"

// checkOneOf begins the check of a text that is one of those behind it, with | in
// between.
const checkOneOf = "oneof="

func invalidOption(options string) string {
	return `Invalid option: expected one of "` + strings.ReplaceAll(options, "|", `"|"`) + `"`
}

// clientError turns the verdict of a Validate method into a response.
func clientError(err error) error {
	if err == nil || apiError(err) != nil {
		return err
	}
	return NewError(http.StatusBadRequest, ErrValidation, err.Error()).WithCause(err)
}
