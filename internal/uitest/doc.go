// Package uitest drives a front end that knows nothing of this library: the
// components of Better Auth UI, in Chromium. The pages, app/, only wire them to the
// official React client; the same build runs against this library and against the
// npm package, with the same clicks and keys, and what it requests and what they
// answer has to be the same.
//
// It needs Chromium, node 20.19 or newer and npm, and the npm registry for its
// first run. Every step at this library leaves a screenshot in the folder that
// CI_ARTIFACTS names, or, with go test -artifacts, where that says.
package uitest
