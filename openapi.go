package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// An OpenAPIDocument describes endpoints in OpenAPI 3.1: what they take, what they
// answer and how they fail. Auth.OpenAPI and NewOpenAPI make one, whose exported
// fields have their defaults and can be changed before the document is first used.
//
// It is an http.Handler that serves itself as JSON, with an ETag, and encodes itself
// with json.Marshal. It is made when it is first asked for, and only once; the bytes
// are the same for the same endpoints. It is safe for concurrent use.
//
// A result is described as if it were never null, and so are the elements of lists and
// maps. A pointer, map or slice in a field may be null, unless it is left out when it is
// empty (omitempty, omitzero) or has the tag check:"nonnull".
type OpenAPIDocument struct {
	Title       string   // default: Config.AppName, or "API"
	Version     string   // of the API, not of OpenAPI; default "1.0.0"
	Description string   // in Markdown; may be empty
	Servers     []string // where the endpoints of the Auth are: the base URL, or the base path where each request has its own

	source documentSource

	once sync.Once
	text []byte
	etag string
	err  error
}

// A documentSource is what a document is made of.
type documentSource interface {
	describe(d *OpenAPIDocument) (*openAPI, error)
}

// MarshalJSON returns the document. Errors: two endpoints with one method and one
// path.
func (d *OpenAPIDocument) MarshalJSON() ([]byte, error) {
	d.once.Do(d.make)
	return d.text, d.err
}

func (d *OpenAPIDocument) make() {
	described, err := d.source.describe(d)
	if err == nil {
		d.text, err = appendMarshal(nil, described)
	}
	if d.err = err; err != nil {
		return
	}
	sum := sha256.Sum256(d.text)
	d.etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// ServeHTTP serves the document as JSON to GET and HEAD. Who has it already is told
// so (304), and has to ask again each time.
func (d *OpenAPIDocument) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header()["Allow"] = []string{http.MethodGet, http.MethodHead}
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	text, err := d.MarshalJSON()
	if err != nil {
		slog.ErrorContext(r.Context(), "the OpenAPI document cannot be made", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", mediaJSON)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", d.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// openAPIVersion is that of the specification.
const openAPIVersion = "3.1.1"

// defaultTag is the group of endpoints that name none.
const defaultTag = "Default"
