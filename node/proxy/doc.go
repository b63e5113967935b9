// Package proxy is the HTTP server on this machine that players talk to.
//
// Any HLS player can be pointed at a channel's URL:
//
//	http://127.0.0.1:PORT/TOKEN/play/master.m3u8
//
// Playlists are written from what the session knows (never passed through from
// an origin), and segments are sent while their blocks still arrive. Players end
// a live stream at the first error, indistinguishably from its real end, so the
// proxy answers always: a playlist request gets the newest playlist there is, a
// segment request waits for its bytes.
//
// # Paths
//
// Below /TOKEN/play/, all names relative to each other:
//
//	master.m3u8      the multivariant playlist of one variant, which the channel chooses, or, if the source had none, the media playlist
//	live-P-V.m3u8    that variant's media playlist, for player P in viewing V: each segment is of the variant that was chosen when it was added
//	variants.m3u8    the multivariant playlist of all variants, for a player that chooses for itself; if the source had none, as master.m3u8
//	R-pP.m3u8        the media playlist of rendition R, for the player that was given P in its multivariant playlist
//	player-V.m3u8    as master.m3u8, for a player that can go back
//	shown-P-V.m3u8   as live-P-V.m3u8: it begins where the viewing does, and only grows
//	R-hP-V.m3u8      rendition R's media playlist for player P of that viewing: likewise
//	R/N.EXT          the media segment with sequence N; EXT is the origin's (.ts .m4s .mp4 .aac .vtt …)
//	R/N-x.EXT        the same, where the origin's URI told no known extension: EXT is a guess, the content type is sniffed
//	R/iN.EXT         init section N
//	R/kN.key         key N
//
// and, for the web player, if the mount has one:
//
//	auto.m3u8        as rewind.m3u8, but of one variant, which the channel chooses
//	rewind.m3u8      the multivariant playlist; what it names begins as far back as can be had, and only grows
//	../web/          the page and its files
//	../status.json   what the page tells besides: see Status
//	../share         POST {"paused":true}, or false: the page's button to pause sharing
//
// # Held playlists
//
// A player polls a live playlist once in a target duration and would learn of a
// segment half of that too late on average. So a request for a playlist that
// this player already has is held until it changes, at most half a target
// duration and never longer than a second. The first request is never held.
//
// # Where players begin
//
// Tried with twelve segments of 2 s listed, live: which segment each player asks
// for first, counted from the end.
//
//	                              plain   HOLD-BACK=12   EXT-X-START:TIME-OFFSET=-12
//	mpv 0.35, FFmpeg 5.1, ffplay      3              3                             3
//	hls.js 1.7                        3              6                             7
//	VLC 3.0                           9              9                             9
//
// So what all of them follow is the end of the list: a session that wants players
// further from the live edge leaves the newest segments out of it. EXT-X-START is
// not written; HOLD-BACK is, where the origin's own playlist says it.
//
// # Who may ask
//
// Any web page the user visits can send requests to this machine, and by DNS
// rebinding read the answers; other users of the machine can connect as well.
// So: loopback addresses only, unless the configuration says otherwise; a random
// token of 128 bits in each mount's path, compared in constant time; a Host that
// is exactly one of the listener's names; nothing that carries another Origin
// than our own page's, or that the browser marks as coming from another site;
// GET and HEAD only, but for the one POST, which must carry the page's Origin
// and be JSON; names that are numbers, so that no path or URL is ever taken from
// a request. A wrong token and an unknown path look the same.
//
// # Goroutines
//
// A Server's Run owns the listener and all connections; it returns once every
// handler has. State shared by handlers sits behind a mutex in Server (the
// mounts) and in Mount (what each player has seen). The package does not know
// of peers, origins or the store.
package proxy
