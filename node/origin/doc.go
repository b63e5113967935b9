// Package origin is the HTTP client of the organiser's server: it fetches
// playlists, segments, init sections and keys, and nothing else.
//
// URLs come from links, signed records and other people's playlists, so each
// request, and each hop of a redirect, has to pass two gates (policy.go):
//
//   - the host and port must be the channel's: typed by the user, named in the
//     link or descriptor, or named by a record that was verified;
//   - the address dialled must be public, unless the user typed that host and
//     port, or the link named them and the URL has no query. It is the address
//     that is checked, after the name was resolved and right before it is
//     dialled, so a name that resolves to something else a moment later (DNS
//     rebinding) gains nothing.
//
// No cookie, credential or Referer is ever sent, no proxy from the environment
// is used (the address check would then see the proxy's), and errors name a URL
// without its query, which may hold a viewer's token.
//
// Compression is not asked for: a segment's bytes must be the ones that the
// publisher hashed. A playlist that comes gzipped all the same is unpacked
// within bounds; a segment is refused.
//
// Where packets are lost on the way one connection is slow. GetWide then goes on by
// many small requests, if its caller says that the server's line has room (wide.go).
//
// Whoever knows that it will ask for much at once says so (Spare): the connections for
// that are then opened as soon as the server has answered for the first time (spare.go).
//
// A Client may be used by many goroutines. It owns the connections that wait
// for reuse; a Body belongs to who called Get, and reads as the caller reads.
package origin
