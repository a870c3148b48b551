package auth

// A Description is what documents say of an endpoint beside its types: OpenAPI shows
// it, and so do tools that read that. Every field is optional.
type Description struct {
	// Summary is one line without a full stop: "Sign in with e-mail address and
	// password".
	Summary string

	// Details are sentences in Markdown.
	Details string

	// Tag is the group that the endpoint is shown in. Default: the plugin's ID with a
	// capital, and "Default" for others.
	Tag string

	// Errors are the codes that the endpoint fails with, by HTTP status. Those that all
	// endpoints can have need no mention: validation (400), no session (401), origin
	// (403), rate limit (429), internal errors (500). A status without codes stands for
	// errors that have none; where there are such beside others, one of the codes is
	// empty.
	Errors map[int][]Code

	// Redirects says that the endpoint can answer with 302 Found.
	Redirects bool

	// Hidden leaves the endpoint out of documents.
	Hidden bool
}

// Describe sets what documents say of the endpoint and returns the endpoint. It must
// be called before the first request.
func (e *Endpoint[Req, Res]) Describe(d Description) *Endpoint[Req, Res] {
	e.operation.description = d
	return e
}
