// Package swarm is how a node meets its peers: the only importer of
// anacrolix/torrent, anacrolix/dht and anacrolix/upnp.
//
// A Client is one per process. It owns one TCP listener (and, with the DHT, one
// UDP socket of the same port number), one library client, the caps, the bans
// and the address policy. Join adds a channel's torrent and returns a Swarm:
// Coral's messages (package wire) to and from each peer, and events about them.
//
// How a connection comes about. The library dials and accepts through a dialer
// and a listener of ours, so that every byte passes package meter, every address
// passes our policy, and a connection on which "GET " arrives first goes to the
// organiser's tracker instead. Message-stream encryption, which is required, is
// done there, too (see stream); the library performs the BitTorrent and extension
// handshakes. Then both sides send a wire.Hello; when both have arrived the peer
// has joined. Ordinary BitTorrent clients stay at the stage before: they may fetch
// the channel's small payload and hold the swarm together.
//
// What the library does not decide. It pops an address, dials once and forgets,
// and it evicts by what was useful to a download; so addresses, retries and
// admission live in our own book, the library's limits are set out of reach, and
// it is handed one address at a time. It has no uTP here: the pure Go
// implementation loses throughput by orders of magnitude once several blocks are
// in flight.
//
// Sending. One goroutine per peer hands the library one batch of control
// messages or one block at a time and waits until the socket has taken it.
// Nothing queues inside the library, control messages overtake blocks, and Sent
// is true when it is said. Receiving: the library's callback, which holds the
// library's lock, only copies, parses and queues; one goroutine per Swarm moves
// the queue into the Events channel. When the consumer falls behind, reading
// from the sockets pauses. A peer that sends more control messages than any
// honest one can is dropped.
//
// Peer IDs are claimed, not proven. Who claims another's can take its place at a
// node for as long as it stays connected there, but cannot have it banned.
//
// Private channels. The secret in the link authenticates both hellos (an HMAC
// over both peer IDs and nonces' owner) and, with both nonces, keys AES-256-GCM
// for every later message: who lacks it can neither join nor read.
//
// Locks: Client.mu, Swarm.mu and peer.mu are leaves that are never held while
// calling into the library, because its callbacks take them under its own lock.
package swarm
