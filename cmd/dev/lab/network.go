package lab

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"time"

	"coral/node/sim"
)

// Network connects hosts.
type Network struct {
	// Spell delays all packets for a time. It does not change once Run runs.
	Spell sim.Spell

	begun time.Time
	wake  chan struct{} // something is to be delivered earlier than Run knows

	mu    sync.Mutex
	hosts map[netip.Addr]*Host // changes before Run only
	dice  *rand.Rand
	queue queue
	sent  uint64 // packets so far
}

// Host is one machine of a Network, and its line to the middle of it.
type Host struct {
	Addr netip.Addr

	network *Network
	line    sim.Link
	space   *os.File // the network namespace
	device  *os.File // where its packets come from and go to

	// Guarded by Network.mu.
	up, down lane
	cut      bool
	newest   map[*Host]time.Time // when the newest packet to each host gets to its line
	sentTo   map[*Host]int64
	seconds  []int64 // bytes sent in each second since the network began
}

// New makes a network without hosts, whose jitter and losses follow from the seed.
func New(seed uint64) *Network {
	return &Network{
		begun: time.Now(), wake: make(chan struct{}, 1),
		hosts: map[netip.Addr]*Host{}, dice: rand.New(rand.NewPCG(seed, 0)),
	}
}

// Usable tells why this machine cannot emulate networks, by trying it.
func Usable() error {
	n := New(0)
	defer n.Close()
	_, err := n.Host(sim.Link{})
	return err
}

// Host adds a host. A line's rate of 0 is no limit.
func (n *Network) Host(line sim.Link) (*Host, error) {
	h := n.add(line)
	if err := h.open(); err != nil {
		return nil, fmt.Errorf("make an emulated host: %w", err)
	}
	return h, nil
}

func (n *Network) add(line sim.Link) *Host {
	i := len(n.hosts) + 1
	h := &Host{
		Addr: netip.AddrFrom4([4]byte{10, 77, byte(i >> 8), byte(i)}), network: n, line: line,
		newest: map[*Host]time.Time{}, sentTo: map[*Host]int64{},
	}
	n.hosts[h.Addr] = h
	return h
}

// Close ends the hosts' devices.
func (n *Network) Close() {
	for _, h := range n.hosts {
		h.device.Close() // of a host that could not be made there is none
		h.space.Close()
	}
}

// Run carries packets until ctx ends.
func (n *Network) Run(ctx context.Context) error {
	var readers sync.WaitGroup
	defer readers.Wait()
	defer n.Close()
	for _, h := range n.hosts {
		readers.Go(h.read)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		to, packet, wait := n.next(time.Now())
		if packet != nil {
			// A device whose host is gone takes nothing, as a line that is down.
			_, _ = to.device.Write(packet)
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-n.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// read takes what the host sends until its device is closed.
func (h *Host) read() {
	packet := make([]byte, 1<<16)
	for {
		size, err := h.device.Read(packet)
		if err != nil {
			return
		}
		h.send(bytes.Clone(packet[:size]), time.Now())
	}
}

// send takes a packet that h sends at now, and keeps it.
func (h *Host) send(packet []byte, now time.Time) {
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	to := n.hosts[destination(packet)]
	if to == nil {
		return
	}
	at, ok := h.up.admit(h.line.Up, now, len(packet))
	if !ok || h.cut || n.dice.Float64() < h.line.Loss {
		return
	}
	second := int(now.Sub(n.begun) / time.Second)
	for len(h.seconds) <= second {
		h.seconds = append(h.seconds, 0)
	}
	h.seconds[second] += int64(len(packet))
	h.sentTo[to] += int64(len(packet))
	at = at.Add(h.line.Delay + to.line.Delay + n.Spell.At(now.Sub(n.begun)) + time.Duration(float64(h.line.Jitter)*n.dice.Float64()))
	if at.Before(h.newest[to]) {
		at = h.newest[to] // jitter delays, it does not reorder
	}
	h.newest[to] = at
	n.sent++
	n.put(&parcel{at: at, number: n.sent, to: to, packet: packet})
}

// put keeps a parcel until its time; the caller holds the mutex.
func (n *Network) put(p *parcel) {
	heap.Push(&n.queue, p)
	if n.queue[0] == p {
		select {
		case n.wake <- struct{}{}:
		default:
		}
	}
}

// next is the packet that is to be delivered now, or nil and when to ask again.
func (n *Network) next(now time.Time) (to *Host, packet []byte, wait time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.queue) > 0 {
		p := n.queue[0]
		if wait := p.at.Sub(now); wait > 0 {
			return nil, nil, wait
		}
		heap.Pop(&n.queue)
		to := p.to
		switch {
		case to.cut:
		case p.through:
			return to, p.packet, 0
		case n.dice.Float64() >= to.line.Loss:
			if at, ok := to.down.admit(to.line.Down, p.at, len(p.packet)); ok {
				p.at, p.through = at, true
				heap.Push(&n.queue, p)
			}
		}
	}
	return nil, nil, time.Hour
}

// Cut lets nothing in or out any more.
func (h *Host) Cut() {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.cut = true
}

// SetDown changes the rate at which the line brings what comes to h from now on.
func (h *Host) SetDown(rate int64) {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.line.Down = rate
}

// SentTo is how many bytes h sent to another host, without what was lost at once.
func (h *Host) SentTo(to *Host) int64 {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	return h.sentTo[to]
}

// Busiest is how many bytes h sent in those seconds, so many in a row, in which it
// sent most.
func (h *Host) Busiest(seconds int) (most int64) {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	sum := int64(0)
	for i, bytes := range h.seconds {
		sum += bytes
		if i >= seconds {
			sum -= h.seconds[i-seconds]
		}
		most = max(most, sum)
	}
	return most
}

// destination is where an IPv4 packet goes; of any other it is nowhere.
func destination(packet []byte) netip.Addr {
	if len(packet) < 20 || packet[0]>>4 != 4 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(packet[16:20]))
}
