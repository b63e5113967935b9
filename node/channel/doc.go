// Package channel holds what a channel is made of: its descriptor (the info
// dict of its torrent), its link, and its signed feed. It is pure: bytes and
// `now` in, values out. It reads no clock, opens nothing, starts no goroutine
// and does not know who sent what; a Feed is owned by one
// goroutine of their user's. Chance is taken only to make keys.
//
// All formats are versioned, bounded (limits.go) and canonical: what a parser
// takes, the writer makes again byte for byte. Examples are in testdata/vectors.txt.
//
// # Info dict
//
// The channel is a BitTorrent v1 swarm (BEP 3) and its name is the SHA-1 of
// this dict, whose keys stand in this order:
//
//	coral         dict
//	  key         32 bytes: the root public key (ed25519)
//	  name        the channel's name: 1 to 200 bytes of UTF-8, no control characters
//	  origins     list of http(s) URLs of the playlist, at most 8; left out if none
//	  secret      32 bytes, private channels only: SHA-256("coral/secret/v1" 0x00 ‖ secret)
//	  v           1
//	length        of the payload
//	name          "Coral channel " ‖ name with each of / \ : * ? < > | " made _ ‖ ".txt"
//	piece length  16384
//	pieces        SHA-1 of the payload
//	private       1; private channels only (BEP 27)
//
// The payload is a text made of the rest (Descriptor.Payload), so that the whole
// dict follows from key, name, origins and secret. Nothing may be added; what a
// later version adds comes with another v, and is refused by this one.
//
// # Link
//
//	magnet:?xt=urn:btih:HEX&dn=NAME&tr=TRACKER…&x.pe=HOST:PORT…&as=ORIGIN…&x.coral=C&x.secret=S
//
// and the same with the scheme coral:. C is unpadded base64url of
//
//	1 byte     1, the version
//	1 byte     1 if private, else 0
//	32 bytes   root public key
//	32 bytes   secret's hash, if private
//
// With dn and as, in their order, it gives the info dict, which must hash to xt.
// A link without C names a channel (or an ordinary torrent) whose info dict must
// be had from peers. S is unpadded base64url of a private channel's 32-byte
// secret. Other parameters are passed over. Values are percent-escaped but for
// x.pe, which has no character that needs it. At most 8 KiB.
//
// A .torrent file holds announce, announce-list and info as ever, and a dict
// "coral" beside them: peers (list of HOST:PORT) and secret, either left out if
// there is none.
//
// # Feed
//
// A record is
//
//	body
//	8 bytes    the first of the signer's public key
//	64 bytes   ed25519 over "coral/feed/v1" 0x00 ‖ the channel's 20 bytes ‖ body ‖ those 8 bytes
//
// and at most 48 KiB long. Its digest, by which records refer to each other, is
// the SHA-256 of the body: signed again with another key it is the same record.
// In bodies, n is a number as an unsigned LEB128 varint in its shortest form, at
// most 2^62; t is a time, 8 bytes, big endian, nanoseconds since 1970 UTC; s is a
// text: its length (n) and bytes; d is a duration in nanoseconds (n).
//
// Every body ends with extensions: their length in bytes (n, at most 1024), then
// for each, tags rising: tag (n), length (n), bytes. A reader passes over even
// tags that it does not know, and refuses the record for an odd one.
//
// Delegation, signed by the root key: the signing key may sign from one time to
// the other, both included, at most 24 hours apart.
//
//	1 byte     1, the type
//	1 byte     1, the version
//	n          serial; rises from one delegation to the next
//	32 bytes   signing public key
//	t t        from, to
//	           extensions
//
// Presentation, signed by a signing key: the Multivariant Playlist.
//
//	1 byte     2, the type
//	1 byte     1, the version
//	1 byte     flags: 1 single, 2 independent segments
//	n          revision; rises from one presentation to the next
//	t          time
//	n          number of renditions, 1 to 64; for each:
//	  n          ID, 16 bits
//	  1 byte     kind: 0 variant, 1 audio, 2 video, 3 subtitles, 4 captions
//	  1 byte     flags: 1 default, 2 autoselect, 4 forced
//	  n          ID of the rendition that carries the media, 16 bits
//	  s          URI
//	  s × 14     name, group, language, associated language, characteristics,
//	             channels, instream ID, codecs, video range, resolution; groups of
//	             audio, video, subtitles, captions. At most 256 bytes each
//	  n n        bandwidth, average bandwidth, in bits per second
//	  n          frames per 1000 seconds
//	           extensions
//
// Entry, signed by a signing key: a link of a rendition's chain.
//
//	1 byte     3, the type
//	1 byte     1, the version
//	1 byte     flags: 1 init section, 2 end, 4 ranged, 8 key, 16 date,
//	           32 discontinuity, 64 needs an init section
//	1 byte     the playlist's type: 0 live, 1 event, 2 VOD
//	n          rendition, 16 bits
//	n          index in the chain
//	32 bytes   digest of the entry before; left out at index 0
//	t          time; never earlier than the entry before
//	d          target duration of the origin's playlist
//	n          first sequence in the origin's playlist
//	           but for an end, which has only flag 2:
//	n          sequence: of a media segment, higher than all before; of an init
//	           section, a number that no other in the rendition has
//	s          URI, absolute (http, https) or relative to the rendition's playlist
//	n          offset, if ranged
//	n          size in bytes, at most 32 MiB
//	32 bytes   for each block: its digest (segment.BlockDigest)
//	           with a key:
//	1 byte     method: 1 AES-128, 2 SAMPLE-AES, 3 SAMPLE-AES-CTR
//	s s s      URI, format, format versions
//	16 bytes   initialisation vector
//	           and for a media segment:
//	d          duration
//	t          programme date-time, if date
//	n          discontinuity sequence
//	n          number of the init section that it needs, if any
//	           in all:
//	           extensions; this version knows one:
//	             0: how long the bytes keep the origin's line busy, as the publisher
//	             found: d, not 0
//
// # What a Feed takes
//
// A record counts if the signing key's delegation covers the time that the
// record itself tells, and that time is not more than 2 hours ahead of the local
// clock. So an hour's error of a viewer's clock does no harm, and what was signed
// yesterday by yesterday's key stays good: its place in the chain dates it. A key
// is retired one hour after the start of a later delegation, whatever its own
// says. Live entries are stale two hours after they would have left the window.
//
// A chain may be taken up at any index. An entry must link with those of its
// neighbours that are known: digests with the ones next to it; time and sequence
// with the nearest. Another body in a place that is taken is an equivocation,
// which only the publisher can commit, and which the error proves.
//
// Of a live rendition the newest entries are held that make up the window; of
// the others all, up to a bound. Init sections are held while a held entry needs
// them, and some time longer.
package channel
