// Package sim is a discrete-event simulator of a live channel: an origin, a
// publisher and viewers with links of given rates and delays, around the very
// same node/schedule that the node runs. It holds no decision of its own, and
// no second implementation of any.
//
// What is modelled: uplinks that carry one block after another at the cap,
// downlinks, delays, loss (as the delay of a retransmission), NAT, viewers who
// leave or are killed, liars who announce and never deliver, an origin whose
// uplink its downloads share, feed records that are passed on from neighbour to
// neighbour, players that start some segments behind live and stall. What is
// not: TCP's ramp and its queues, the DHT, playlists, CPU time.
//
// A run is a function of its Config. Nothing here starts a goroutine.
package sim
