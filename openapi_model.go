package auth

// The parts of an OpenAPI document (OpenAPI 3.1.1 section 4.8), as far as this
// package has something to say in them.

type openAPI struct {
	OpenAPI    string                         `json:"openapi"`
	Info       openAPIInfo                    `json:"info"`
	Servers    []openAPIServer                `json:"servers,omitempty"`
	Tags       []openAPITag                   `json:"tags,omitempty"`
	Paths      orderedObject[openAPIPathItem] `json:"paths"`
	Components openAPIComponents              `json:"components"`
}

type openAPIInfo struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Version     string `json:"version"`
}

type openAPIServer struct {
	URL string `json:"url"`
}

type openAPITag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// An openAPIPathItem has an openAPIOperation for each method, in small letters.
type openAPIPathItem = orderedObject[*openAPIOperation]

type openAPIOperation struct {
	Tags        []string                        `json:"tags"`
	Summary     string                          `json:"summary,omitempty"`
	Description string                          `json:"description,omitempty"`
	OperationID string                          `json:"operationId"`
	Servers     []openAPIServer                 `json:"servers,omitempty"`
	Security    []openAPISecurity               `json:"security"` // empty: nothing is asked for
	Parameters  []openAPIParameter              `json:"parameters,omitempty"`
	RequestBody *openAPIBody                    `json:"requestBody,omitempty"`
	Responses   orderedObject[*openAPIResponse] `json:"responses"`
}

// An openAPISecurity is one way to be known: the names of schemes that it takes
// together. An empty one says that nobody needs to be.
type openAPISecurity map[string][]string

type openAPIParameter struct {
	Name     string      `json:"name"`
	In       string      `json:"in"`
	Required bool        `json:"required,omitempty"`
	Schema   *jsonSchema `json:"schema"`
}

type openAPIBody struct {
	Required bool                        `json:"required"`
	Content  orderedObject[openAPIMedia] `json:"content"`
}

type openAPIMedia struct {
	Schema *jsonSchema `json:"schema,omitempty"`
}

type openAPIResponse struct {
	Ref         string                       `json:"$ref,omitempty"`
	Description string                       `json:"description,omitempty"`
	Headers     orderedObject[openAPIHeader] `json:"headers,omitempty"`
	Content     orderedObject[openAPIMedia]  `json:"content,omitempty"`
}

type openAPIHeader struct {
	Ref         string      `json:"$ref,omitempty"`
	Description string      `json:"description,omitempty"`
	Required    bool        `json:"required,omitempty"`
	Schema      *jsonSchema `json:"schema,omitempty"`
}

type openAPIComponents struct {
	Schemas         orderedObject[*jsonSchema]           `json:"schemas,omitempty"`
	Responses       orderedObject[*openAPIResponse]      `json:"responses,omitempty"`
	Headers         orderedObject[openAPIHeader]         `json:"headers,omitempty"`
	SecuritySchemes orderedObject[openAPISecurityScheme] `json:"securitySchemes,omitempty"`
}

type openAPISecurityScheme struct {
	Type        string `json:"type"`
	In          string `json:"in,omitempty"`
	Name        string `json:"name,omitempty"`
	Scheme      string `json:"scheme,omitempty"`
	Description string `json:"description,omitempty"`
}

// An orderedObject is a JSON object whose members stay in their order.
type orderedObject[V any] []orderedMember[V]

type orderedMember[V any] struct {
	name  string
	value V
}

// MarshalJSON writes the members in their order.
func (o orderedObject[V]) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			text = append(text, ',')
		}
		var err error
		if text, err = appendMarshal(append(appendJSONString(text, m.name), ':'), m.value); err != nil {
			return nil, err
		}
	}
	return append(text, '}'), nil
}

// get returns the member with a name, the zero value if there is none.
func (o orderedObject[V]) get(name string) (value V, ok bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return value, false
}

// set replaces the member with a name or adds it at the end.
func (o *orderedObject[V]) set(name string, value V) {
	for i := range *o {
		if (*o)[i].name == name {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, orderedMember[V]{name, value})
}
