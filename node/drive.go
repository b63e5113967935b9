package node

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"coral/node/schedule"
	"coral/node/swarm"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

// ownTicket marks the tickets of origin fetches that the session began itself,
// before there was an entry to schedule by.
const ownTicket schedule.Ticket = 1 << 63

// keyOf is the scheduler's 64-bit name of a long random one.
func keyOf(b []byte) uint64 { return binary.BigEndian.Uint64(b[:8]) }

// keyOfPeer is the scheduler's name of a swarm identity: its last bytes, since
// the first tell the program.
func keyOfPeer(id [20]byte) uint64 { return binary.BigEndian.Uint64(id[12:]) }

// carry does what the scheduler decided.
func (s *Session) carry(a schedule.Action) {
	switch a := a.(type) {
	case schedule.Ask:
		if o := s.objects[a.ID]; o != nil {
			o.seek()
		}
		ms := max(0, time.Duration(a.Due-s.instant()).Milliseconds())
		s.swarm.Send(swarm.PeerID(a.Peer), &wire.Request{ID: a.ID, Block: uint16(a.Block), Due: uint32(min(ms, maxDue))})
	case schedule.Withdraw:
		s.swarm.Send(swarm.PeerID(a.Peer), &wire.Cancel{ID: a.ID, Block: uint16(a.Block)})
	case schedule.Announce:
		if o := s.objects[a.ID]; o != nil && o.entry != nil {
			s.knowsOf(swarm.PeerID(a.Peer), a.ID) // else it asks, having heard of it
			s.swarm.Send(swarm.PeerID(a.Peer), &wire.Have{ID: a.ID, Blocks: uint16(len(o.entry.Blocks)), Held: a.Held, Fetching: a.Fetching})
		}
	case schedule.Claim:
		for _, p := range a.Peers {
			s.swarm.Send(swarm.PeerID(p), &wire.Claim{ID: a.ID, Round: uint8(a.Round), TTL: uint8(a.TTL), First: uint16(a.First), Count: uint16(a.Count), Claimant: a.Claimant})
		}
	case schedule.Send:
		s.sendBlock(a)
	case schedule.Refuse:
		s.swarm.Send(swarm.PeerID(a.Peer), &wire.Refuse{ID: a.ID, Block: uint16(a.Block), Reason: wire.RefuseReason(a.Reason)})
	case schedule.Fetch:
		o := s.objects[a.ID]
		if o == nil || o.entry == nil || o.url == "" {
			s.step(schedule.FetchEnded{Ticket: a.Ticket, Failed: true, RetryAfter: time.Minute})
			return
		}
		s.startFetch(a.Ticket, o, o.entry.Offset, a.First, a.Count)
	case schedule.StopFetch:
		if f := s.fetches[a.Ticket]; f != nil {
			f.cancel()
		}
	case schedule.Suspect:
		s.log.Debug("peer is slow or silent", "peer", a.Peer, "why", a.Why)
	case schedule.Drop:
		if p := s.peers[swarm.PeerID(a.Peer)]; p != nil {
			s.ban(p, silentFor, a.Why)
		}
	}
}

// maxDue bounds what a request says of its due time: an hour, in milliseconds.
const maxDue = 3600_000

// sendBlock reads one block from the store and queues it to the peer.
func (s *Session) sendBlock(a schedule.Send) {
	o := s.objects[a.ID]
	if o == nil || o.entry == nil {
		s.step(schedule.Sent(a))
		return
	}
	data := make([]byte, segment.BlockLen(o.size, a.Block))
	if _, err := s.node.store.Read(o.key, a.Block, data); err != nil {
		s.lost(o, a.Block)
		s.swarm.Send(swarm.PeerID(a.Peer), &wire.Refuse{ID: a.ID, Block: uint16(a.Block), Reason: wire.NotHeld})
		s.step(schedule.Sent(a))
		return
	}
	s.cookie++
	s.sent[s.cookie] = upload{swarm.PeerID(a.Peer), a.ID, a.Block}
	s.swarm.SendBlock(swarm.PeerID(a.Peer), &wire.Block{ID: a.ID, Block: uint16(a.Block), Data: data}, s.cookie)
}

// lost notes that the store no longer has a block.
func (s *Session) lost(o *object, i int) {
	if !o.held.Has(i) {
		return
	}
	o.drop(i)
	o.whole = false
	s.step(schedule.Lost{ID: o.id, Block: i})
}

// fetched takes what an origin request brought.
func (s *Session) fetched(f fetched) {
	ft := s.fetches[f.ticket]
	if ft == nil {
		return
	}
	o := ft.o
	if f.end {
		delete(s.fetches, f.ticket)
		if o.fetch == f.ticket { // still unverified
			o.fetch = 0
			if f.err != nil {
				s.log.Info("origin failed", "id", o.id.String(), "err", f.err)
				o.fail(unavailable(f.err))
				delete(s.objects, o.id)
			}
			return
		}
		failed := f.err != nil && !errors.Is(f.err, context.Canceled)
		if failed {
			s.log.Info("origin failed", "id", o.id.String(), "err", f.err)
		}
		s.step(schedule.FetchEnded{Ticket: f.ticket, Failed: failed, RetryAfter: retryAfter(f.err)})
		return
	}
	ft.next = f.block + 1
	if o.entry == nil {
		if f.size >= 0 {
			o.setSize(f.size)
		}
		s.counts.unverified += int64(len(f.data))
		o.add(f.block, f.data)
		s.whole(o)
		return
	}
	ok := f.block < len(o.entry.Blocks) && len(f.data) == segment.BlockLen(o.size, f.block) &&
		segment.BlockDigest(f.data) == o.entry.Blocks[f.block]
	switch {
	case !ok:
		s.counts.badBlocks++
		s.log.Warn("origin sent wrong bytes", "id", o.id.String(), "block", f.block)
		ft.cancel()
	case o.held.Has(f.block):
		s.counts.duplicate += int64(len(f.data))
	default:
		s.counts.bytes[fromOrigin] += int64(len(f.data))
		s.keep(o, f.block, f.data, fromOrigin)
	}
	s.step(schedule.Fetched{Ticket: f.ticket, Block: f.block, OK: ok})
}
