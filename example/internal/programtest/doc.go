// Package programtest builds the programs in the folders of the example module and
// uses them as people do: each runs as a process on a free port, is asked over HTTP
// and ends when it is told to.
package programtest
