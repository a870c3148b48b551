// Package openapitest hands the OpenAPI documents of several configurations to the
// tools of others: linters and validators find nothing in them, compilers make types of
// them that compile, and a program with those types works against a server. It reads
// the page that shows the document in Chromium, without a network.
//
// These have accepted the documents:
//
//   - @redocly/cli 2.77.0, with the rules recommended-strict but for redocly.yaml
//   - @seriousme/openapi-schema-validator 2.11.0
//   - openapi-typescript 7.13.0 and TypeScript 5.9.3, with openapi-fetch 0.17.0
//   - github.com/pb33f/libopenapi v0.42.5
//
// It needs node 20 or newer with npm, and Chromium for the page. A test that lacks one
// of them is skipped with a line that says how to run it; with CI=true it fails.
package openapitest
