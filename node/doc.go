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
// The package does not know BitTorrent (node/swarm), playlist syntax
// (node/hls), signatures (node/channel) or files (store).
package node
