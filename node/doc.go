// Package node is Coral's engine: it takes a channel's segments from the cache,
// from other viewers or from the organiser's origin, verifies every block
// against the signed feed, hands it to the player through the proxy and serves
// it on to others.
//
// A Node holds what all channels share: the store, the peer listener with its
// caps, and the proxy. Each open channel is a Session. One goroutine, the one
// in Session.run, owns the session's feed, scheduler, peers and objects; it
// takes events (messages from peers, blocks from the origin, requests of the
// player), steps the scheduler and carries out what that decides. No decision
// about who is asked for what is made here: those are node/schedule's, which
// the simulator runs too.
//
// # Quality
//
// A player on this machine cannot judge the line: what it reads comes from the
// cache as often as from far away, and FFmpeg never changes the variant at all.
// So a session chooses (ladder), for each segment that a live playlist grows by,
// and players are given one media playlist made of segments of several variants
// (viewing). A viewer takes a better variant when that is known to come fast enough;
// where nothing is known of it, because nobody watches it, one viewer tries it (turn)
// and the others follow, which they see by what a neighbour's Watching lists first.
// What was listed never changes; a change is marked by
// EXT-X-DISCONTINUITY; sequence numbers are those of the variant that the viewing
// began with. Only what is listed is fetched. Two variants' segments are taken for
// each other that begin at the same EXT-X-PROGRAM-DATE-TIME, or have the same
// number where there are no dates, and are equally long; the variants must have the
// same codecs and the same audio group. Otherwise, of recordings, and with fragmented
// MP4 (see below), a player stays with the variant that was chosen, or pinned, when
// it loaded the playlist.
//
// When our own line breaks down, all neighbours are late at once. What is asked of
// another one then is carried twice by that very line, and the segment that was on
// its way stalls; so the scheduler is told (inflow, schedule.Narrow). Taking another
// variant for what is listed already was tried, too: behind the listed numbers, when
// the player asks for them or when the better one will not be in time. All four
// players bear it in transport streams, but it did not help, since what is listed is
// fetched at once: what neighbours have sent comes all the same, before the other.
//
// What players need, as measured with FFmpeg 5.1, mpv 0.35, VLC 3.0 and hls.js 1.7:
//
//   - FFmpeg (ffplay, mpv and so the built-in player) reads a playlist as one
//     stream and does not look at EXT-X-DISCONTINUITY. Time stamps must go on, as
//     RFC 8216bis 6.2.4 wants of variants: they do in transport streams, where
//     parameter sets come with each picture that can be begun at. It shows every
//     picture, and says "Packet corrupt" at a change, since packets' continuity
//     counters do not go on: the packet is whole. With -xerror it stops at that.
//   - Of several EXT-X-MAP FFmpeg obeys the first ("Found duplicated MOOV Atom.
//     Skipped it"). Pictures of another variant are then decoded by the wrong
//     parameter sets and come out broken, unless they carry their own within
//     (avc3, hev1), which nothing in a playlist tells. So fragmented MP4 is not
//     composed.
//   - VLC and hls.js obey EXT-X-DISCONTINUITY, and need nothing else. Of transport
//     streams they show every picture without it, too. Of fragmented MP4 hls.js needs
//     but the EXT-X-MAP of each variant, and VLC that and the EXT-X-DISCONTINUITY: a
//     playlist could be composed for them, if they said who they are.
//
// The package does not know BitTorrent (node/swarm), playlist syntax
// (node/hls), signatures (node/channel) or files (store).
package node
