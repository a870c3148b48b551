// Package clienttest runs the official JavaScript clients of Better Auth,
// unmodified, against this library and, with the same steps, against the npm
// package's own server. The steps are in theme_*.mjs; they need node 20 or newer
// and npm. An endpoint that no step requests is a failure.
package clienttest
