// Package mpv plays through libmpv, which it loads at run time: nothing is
// linked, no header is needed to build, and a program without libmpv starts and
// can say what to install (Available, InstallHint). The only package of Coral
// that touches C, and it does so without cgo.
//
// # Who owns what
//
// The goroutine in Player.Run owns mpv's core and everything it knows: it takes
// wishes, mpv's events and news of the playlist, and publishes a player.State.
// Methods of Player leave a wish and return at once; the newest of each kind
// wins, so ten changes of the volume become one. A second goroutine, locked to a
// thread, renders pictures into three buffers that are used again and again
// (Frames); a third asks for the playlist of a live channel. Run starts both and
// ends with them. mpv's own threads call back into Go only to leave a token in a
// channel.
//
// There is one core for a program's life: each new one would leave memory behind
// in C's allocator.
//
// # Live
//
// A playlist without an end is live. To mpv alone, the end of a live playlist's
// last segment, a server that is gone for a second and the end of an event are
// all the same end of file, and seeking in a growing playlist goes wrong: ffmpeg
// counts segments from the first in the playlist and time from the first that it
// read, so that it misses by as much as it skipped at the start. So Run reads the
// playlist itself:
//
//   - Playback begins at a segment chosen here (ffmpeg's live_start_index), so
//     that the place of every picture on the playlist's timeline is known.
//   - Within what mpv has cached, it seeks. Anywhere else in the playlist it
//     loads again at another segment, which takes a fifth of a second and leaves
//     the last picture standing.
//   - An end of file without an end of the playlist is a failure: it is loaded
//     again where it broke off, at growing intervals, for ever. The same if
//     nothing moves any more though the playlist does.
//   - After stalls the picture plays 4 % faster until it is as near to the edge
//     as wanted, or jumps if it is far behind; unless the user has paused or gone
//     back, then it stays where the user wants it.
//
// It refuses to know where bytes come from (an HTTP URL is all), what draws the
// pictures, and subtitles: the app draws them, by State.PTS.
package mpv
