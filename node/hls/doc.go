// Package hls reads and writes HLS playlists (RFC 8216 and its successor,
// draft-pantos-hls-rfc8216bis). It is pure: bytes in, values out; it resolves
// no URL, reads no clock and starts no goroutine.
//
// Playlists come from servers and publishers that nobody vouches for, so Parse
// bounds everything: bytes, lines, URIs, renditions. What a player is given is
// written anew from the model and never passed through: a tag that the model
// does not know cannot reach a player.
//
// # grafov/m3u8
//
// The syntax is github.com/grafov/m3u8's, which nothing else in Coral imports.
// Version 0.12.1 misreads a number of things that real playlists hold, so
// Parse first rewrites a playlist into the dialect that it reads right (see
// rewrite.go):
//
//   - blank lines go (one after EXTINF would be taken for the URI), and so do
//     URIs without EXTINF (with a KEY before them they make it panic);
//   - byte ranges get their offset written out, which it takes for 0;
//   - dates are normalised, since it knows three layouts;
//   - of several KEY tags for one segment one remains, since it keeps the last;
//   - numbers are checked, since it takes "NaN" and wraps bandwidths at 2^32;
//   - a sequence, size or date too large for its type is an error, not zero.
//
// A multivariant playlist is not given to its Decode, which tries both kinds and
// takes quadratic time and memory on one of many renditions. EXT-X-MEDIA, of
// which it knows a part, EXT-X-GAP and the key of an init section are custom
// tags to it. In writing, so are EXT-X-MEDIA, EXT-X-MAP (it leaves the quotes
// off a range, and writes the key always before), EXT-X-GAP and
// EXT-X-INDEPENDENT-SEGMENTS; durations, which it cuts to milliseconds, are put
// back whole, and PROGRAM-ID, which version 6 removed, is taken out.
//
// # What is left out
//
// Titles, date ranges, cue tags, session data and keys, content steering, start
// offsets, I-frame renditions and everything of Low-Latency HLS but HOLD-BACK:
// they are skipped. A delta update (EXT-X-SKIP) and an I-frame playlist are errors,
// since what is left of them would play wrong.
package hls
