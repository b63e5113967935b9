// Command coral is the desktop program: it opens a channel's link, plays it and
// shares it on the user's terms. It reads the command line and runs package app.
package main
