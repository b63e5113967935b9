// Package schedule decides what a node does with blocks: for each block that is
// wanted whether to wait, to ask a neighbour or to fetch from the origin, and
// for each block that is held whom to tell about it and whom to send it to
// first.
//
// A Scheduler is a pure state machine: it has no clock, no socket, no disk and
// no goroutine. Step takes one event and the time at which it happened and
// appends the actions that follow; Next says when a Tick is due if nothing
// happens before. What it does is a function of its configuration and of the
// sequence of (time, event): a recorded trace replays to the same actions. One
// goroutine owns it. Extra ticks change nothing. A step allocates nothing but
// the actions that it returns; only a new segment costs memory, which the next
// ones use again.
//
// The node's session and the simulator (node/sim) drive the same Scheduler and
// hold no decision themselves. It refuses to know bytes, digests, addresses,
// messages and players: segments are IDs with a number of blocks, players are
// due times, and bytes are verified before it hears of them.
//
// # The policy in short
//
// A wanted segment has a due time. Until shortly before (in the room) a block is
// asked of one neighbour that announced it, rarest first, from whoever is
// expected to have it here first; nobody asks the origin for what a neighbour
// holds or fetches. If nobody does, the neighbours rank themselves by a hash and
// the first one fetches, the others only if that leads to nothing (suppress.go).
// In the urgent window before the due time the earliest block comes first, from
// anywhere: a second copy if the first is late, a publisher though it announced
// nothing, the origin (urgent.go). What has begun to come is left to come, and a
// neighbour that was in time so far is given what time there is (flowing, reliable).
//
// A newcomer that knows of other viewers waits some round trips for them before it
// has more than the beginning of its first segment from the origin, and leaves to
// them what appeared before it came: they have it, or are getting it (company). Where
// the origin's line has room for all to hurry, or for all and packets are lost, its first
// segments come at once, from wherever that is soonest (opening).
//
// Where the origin's line is far too narrow for all, and a publisher serves what it reads
// over it, each viewer keeps to a ration of the line, however late it is (ration.go).
//
// A neighbour that lets us wait is suspected for a while, and dropped if that goes on
// while others deliver (suspect.go).
//
// Where packets are lost (lossy, flaky) what is late is most often on its way: it is not
// asked of others before it has to be, and then of the origin, if its line has room.
//
// Where neighbours bring next to nothing, or segments too late, or hardly answer, and
// the origin is quick, that is used alone for some minutes (gate.go); nobody is asked
// then, but who asks is served. Where its line has room for all viewers and packets are
// lost, an urgent block that is overdue is not waited for (doubtful, lossy).
//
// A publisher shows each new block to one neighbour first and to the next only
// if it does not spread (seed.go); viewers tell it of a block until two have it
// (settled). Where the origin's line carries all who watch, it sends nobody who has time
// what another was sent (elsewhere), and newcomers have their first segment without it if
// they can (spares). Whoever holds blocks serves them in few slots, rare and urgent ones
// first (upload.go).
package schedule
