// Package sim is a discrete-event simulator of a live channel: an origin, a
// publisher and viewers with links of given rates and delays, around the very
// same node/schedule that the node runs. It holds no decision of its own, and
// no second implementation of any.
//
// What is modelled: uplinks that carry one block after another at the cap,
// acknowledgements, pings, downlinks, delays, TCP's slow start and what losses leave of
// its rate (CUBIC's; BBR hides losses), NAT, viewers who come, leave or
// are killed, liars who announce and never deliver, forgers, an origin whose
// uplink its downloads share, feed records that are passed on from neighbour to
// neighbour, players that start some segments behind live and stall. What is
// not: queues that drop packets, bursts within a cap, the DHT, several
// renditions, CPU time.
//
// TestAgainstLab holds it against the emulated network and says by how much it
// is off.
//
// A large audience is divided into shards that run at once (shard.go). It can begin
// warm, all being there and playing, because joins cost most of the time; and it
// can be given a stream of fewer blocks per segment over the same lines, a
// sub-stream, which keeps the time that a block takes from hand to hand, and with
// it who asks the origin, but not the queues (cmd/dev/simulate.go).
//
// A run is a function of its Config, whatever the machine. Run starts a goroutine
// per shard, and all have ended when it returns; nothing else is shared.
package sim
