// Package publish is the organiser's side: it watches an HLS source, signs what
// appears there, and hands the signed records and the segments' bytes to a Sink,
// which spreads them.
//
// # Source
//
// A source is an HLS URL, a folder that a packager writes into, or an HTTP
// receiver that an encoder PUTs to (a folder below the state folder, in the
// end). All of it is asked for again and again with conditional requests, every
// 150 ms while the channel is live, so that a new segment is noticed within
// 250 ms. What a source says is not trusted to be whole: playlists cut off,
// stale, or missing for a while change nothing, and bytes that look cut off are
// read twice (content.go). What stops coming is asked for anew after a second, from
// where it stopped (steady.go).
//
// # Never two truths
//
// A publisher that signs two different entries for one place in a chain has
// destroyed its channel: every node keeps the first and drops who brings the
// second. So each record is on disk, synced, before the sink sees it:
//
//   - root.key      the channel's root key; read to delegate, not kept in memory
//   - channel.json  name, origins and secret: what the link is made from
//   - signing.json  delegated keys, and the delegations' records
//   - presentation.json  the newest presentation, and which rendition has which number
//   - chains/N.log  the chain of rendition N: a line for each entry (journal.go)
//
// A record that was written and not sent is sent after the restart. A record
// torn by a crash was never sent, and its place in the chain is given to another
// one. A lock keeps a second publisher from the folder.
//
// # Sequence numbers
//
// Coral's Sequence is the origin's Media Sequence Number plus a shift, which is
// 0 until the origin begins anew with lower numbers. What begins anew is called
// a run; the first entry of a run carries a discontinuity. chain.go tells a
// stale playlist from a new run, if need be by comparing bytes.
//
// # Who owns what
//
// Publisher.Run owns the presentation and starts one goroutine per rendition,
// which owns its chain (rendition.go). Beside it a poller reads the rendition's
// playlist, and up to four goroutines fetch segments; they own nothing that
// outlives their message.
//
// The package does not know peers, the store or playlist syntax.
package publish
