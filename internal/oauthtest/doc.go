// Package oauthtest signs users in at OpenID providers that are no fakes of this
// repository: oidc-provider, which is strict, and oauth2-mock-server, which lies
// where it is told to. Every flow runs against this library on SQLite and in
// memory, against the npm package's own server, and begun at one of them and
// finished at the other, which share a database and a secret.
//
// It needs node 20 or newer and npm, see package testnode. TestWalks also uses the
// servers of package testdb.
package oauthtest
