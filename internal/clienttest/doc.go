// Package clienttest runs the official JavaScript client of Better Auth,
// unmodified, against this library. The steps are in steps_everywhere.mjs and
// steps_complete.mjs; they need node 20 or newer and npm.
package clienttest
