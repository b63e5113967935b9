// Package app is the desktop program: it builds settings, library, node, player
// and window in that order, connects them, and closes them in reverse.
//
// One goroutine, the one in app.loop, owns all state. Intents from the window,
// changes of the player, counts of the node and news of the operating system
// come to it as functions in one queue; at most ten times a second it makes a
// view.Model of its state and hands it to the window. Fyne's goroutine draws it
// and nothing else; what may block (opening a channel, reading a file) runs in
// goroutines that post their result to the queue and are waited for at the end.
//
// The package decides nothing about segments (package node), pictures (package
// player) or whether sharing is allowed (settings.Cap); it carries out.
package app
