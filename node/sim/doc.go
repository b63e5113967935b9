// Package sim is a discrete-event simulator of a live channel: an origin, a
// publisher and viewers with links of given rates and delays, around the very
// same node/schedule that the node runs. It holds no decision of its own, and
// no second implementation of any.
//
// What is modelled: uplinks that carry one block after another at the cap,
// acknowledgements, downlinks, delays, TCP's slow start and what losses leave of
// its rate (Reno's and CUBIC's; BBR hides losses), NAT, viewers who come, leave or
// are killed, liars who announce and never deliver, forgers, an origin whose
// uplink its downloads share, feed records that are passed on from neighbour to
// neighbour, players that start some segments behind live and stall. What is
// not: queues that drop packets, bursts within a cap, the DHT, several
// renditions, CPU time.
//
// TestAgainstLab holds it against the emulated network and says by how much it
// is off.
//
// A run is a function of its Config. Nothing here starts a goroutine.
package sim
