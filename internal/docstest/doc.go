// Package docstest compiles and runs the code in README.md and docs, so that a
// reader who copies it meets neither the compiler nor a surprise.
//
//   - A go block that begins with "package main" is a program. It is built and
//     started, and the sh blocks behind it are run: what a json or text block
//     behind one of those shows is what it has to print, "…" standing for
//     anything. Ports are replaced by free ones.
//   - Other go blocks with a package clause are packages, with the declarations
//     that follow on the page; programs import them as example.com/<name>.
//   - Blocks of declarations belong to their page. All other go blocks, and those
//     of sql, are the body of a function that has the variables of a Stage. It is
//     run, and it must neither panic nor leave an err that is no *auth.APIError.
//   - js, jsx, ts and tsx blocks are checked by the TypeScript compiler against the
//     types of the npm package. That needs node and npm.
//
// What asks the server auth.internal is not run. What else cannot be run here has a
// line above its fence, which says why. All of it is compiled:
//
//	<!-- not run: needs Redis -->
package docstest
