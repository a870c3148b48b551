// Package browsertest builds the example program and uses it as people do: in
// Chromium, with clicks and keys. It needs a Chromium or Chrome and nothing from
// the network.
package browsertest
