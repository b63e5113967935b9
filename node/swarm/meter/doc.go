// Package meter counts and caps what leaves and enters the machine, at the
// socket, below every protocol: peers, trackers, the DHT and the organiser's
// origin share one upload and one download bucket.
//
// What is counted is IP packets: payload, TCP and IP headers, acknowledgements
// of received data, retransmissions. A write is charged with an estimate before
// it happens; ten times a second, and when a connection closes, the kernel's own
// counters (TCP_INFO, Linux) correct the estimate. Elsewhere the estimate
// stands: one header per full segment, one acknowledgement per two received.
//
// Uploads wait for the bucket in pieces of 10 ms each. Small writes, which
// are control messages, are charged like any other but do not queue behind data
// as long as the debt is small: an announcement that waits for a block would
// slow down every viewer behind it.
//
// Downloads are paced after the read: the kernel's receive buffer, kept small
// while a cap is set, then holds the sender back.
//
// Uploads also give way to the household (SetManner): the same counters tell by how
// much the round trips to the peers exceed their least, which is how long packets
// wait in the home's own uplink, and budget.Yield makes a rate of it that data
// keeps to, not control messages. Where the system tells nothing the cap stands alone.
//
// A Conn is owned by whoever uses it as a net.Conn; the Meter's own state is
// behind its mutex. Run does the reconciling.
package meter
