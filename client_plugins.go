package auth

// installRemotely is install for a Client: it adds the endpoints of plugins to the API of a Client and gives all
// endpoints what plugins may answer in place of their results.
func (all extensions) installRemotely(api *API, p *pipeline) {
	for _, added := range all {
		for i := range added.Endpoints {
			declared := &added.Endpoints[i]
			declared.open(p, added.id, nil)
			declared.Endpoint.untyped().moveTo(p)
			api.plugins = append(api.plugins, declared.Endpoint)
		}
	}
	for _, op := range api.Operations() {
		all.answer(op.untyped())
	}
}

// answer gives an operation what may be answered on its path.
func (all extensions) answer(op *operation) {
	for _, added := range all {
		for _, a := range added.Answers {
			if a.matches(op.path) {
				op.instead = append(op.instead, newAnswerForm(a.Value))
			}
		}
	}
}
