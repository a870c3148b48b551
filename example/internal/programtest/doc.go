// Package programtest builds the programs in the folders of the example module and
// uses them as people do: each runs as a process on a free port, is asked over HTTP
// and ends when it is told to. A program takes its address from the flag -addr and
// writes "serving at" and its URL in a line when it listens. One with tests in its own
// folder is left to those.
package programtest
