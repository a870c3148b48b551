// Package providertest compares the providers of the table with those of the npm
// package better-auth: both get the same configuration and the same answers, and
// must send the same requests and make the same user of what comes back. It needs
// node 20 or newer and npm.
package providertest
