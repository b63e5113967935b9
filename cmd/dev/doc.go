// Dev is what a newcomer and CI type: go run ./cmd/dev run, test, check, bench
// or package. It needs nothing but Go; what else is useful it installs where it
// can, after saying so, and does without where it cannot.
//
// Its subcommands start other programs (go, ffmpeg's users among the tests,
// coralnode) and wait for them; the goroutine of main owns everything. house_test.go
// beside this file holds the rules of the house: which package may import
// what, and how the tree is laid out.
package main
