// Package lab is an emulated network on one machine: real programs speak real TCP
// over lines with the rates, delays and losses that they are given, and every byte
// is counted on the wire, headers included.
//
// Each Host is a network namespace with one TUN device. What its programs send
// comes to the Network, which lets it wait in the queues of the two hosts' lines,
// loses some of it, and hands it to the other device. The namespaces have no
// names: they are gone with the last program inside, however this process ends.
// It needs Linux, root and /dev/net/tun, and TCP's congestion control CUBIC.
//
// Run owns the goroutines: one reads each host's device, one delivers. A mutex
// guards lines, queue and counts. Chance comes from a seed, time from packets.
//
// It refuses to know which programs run on the hosts, and what is measured of them.
package lab
