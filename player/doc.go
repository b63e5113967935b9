// Package player says what a player is: commands, phases, state; and holds what
// is the same for every player of live HLS: finding the way in a playlist
// (Playlist, Timeline), holding the wanted distance from the live edge (Edge),
// and coming back after a failure (Backoff).
//
// Everything here is a plain value or a pure function of its arguments: nothing
// starts a goroutine, reads the clock or opens a connection. Timeline, Edge and
// Backoff belong to the one goroutine that works for a player.
//
// It refuses to know what decodes (package mpv), what shows (package surface),
// where the bytes come from (they come over HTTP), and everything of the screens.
package player
