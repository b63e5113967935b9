// Coralnode is Coral without a window: it publishes a live HLS source to a
// swarm, watches a channel through a localhost URL, and helps to carry one.
//
//	coralnode publish SOURCE
//	coralnode watch LINK
//	coralnode seed LINK...
//	coralnode link LINK
//
// The program only parses, asks, prints and writes files; all that a channel
// needs is in package node, which it meets through the interface engine. The
// goroutine that runs a command owns everything in this package; beside it run
// the engine and, on a terminal, the reader of the one answer that is asked for.
//
// Exit codes: 0 done; 1 it failed; 2 wrong usage. An error is one line on
// standard error.
package main
