// Package library holds what the program remembers between its runs: the
// channels, their posters, and how much was given and taken.
//
// A channel is known by what its link names, not by how the link is written: by
// its info-hash, or, if it is a plain playlist, by its URL. Two links of one
// channel are one channel, whose link has the best of both.
//
// Library and Ledger may be used from any goroutine. Edits of the library are on
// the disk when the method returns; that a channel was watched, and bytes, are
// gathered, and written by Run some seconds later and when it ends. Files are
// replaced whole (package durable), so a program that is killed loses those
// seconds and nothing else. What was wrong with a file when it was opened is in
// Found.
//
// All that comes from outside (lists of channels, pictures, the files
// themselves) is bounded and checked here; names are made fit to be shown. The
// package opens no connection and knows no window, player or peer.
//
// # The files
//
// channels.json: {"version":1,"channels":[…]}, one channel a line, in the order
// in which they came. ledger.json: {"version":1,"all":…,"channels":{…}}, bytes
// by calendar month, in the user's time zone, and ever. posters/ID.png and
// logos/ID.png: pictures of at most 320×180, two hundred in each folder. A line of channels.json that cannot be used is dropped and
// counted; the others are kept.
package library
