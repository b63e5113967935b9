package schedule

import "time"

const (
	// maxPeers is how many neighbours are dealt with: a set of them fits in one
	// word. The swarm admits fewer; any more are ignored.
	maxPeers = 64
	// maxWatching bounds the renditions remembered per peer, as the wire does.
	maxWatching = 64
	// maxExpanded bounds the segments nobody here wants of which per-block state
	// is kept because of what peers say about them.
	maxExpanded = 256

	// Pipelines.

	firstDepth = 3  // blocks asked of a peer at once before anything is measured
	firstAsks  = 3  // before anything has come at all
	maxDepth   = 64 // and at most
	// urgentExtra lets urgent blocks past a full pipeline.
	urgentExtra = 2

	// What is assumed of a peer before it is measured: a home uplink nearby.
	firstRTT     = 50 * time.Millisecond
	firstService = 60 * time.Millisecond
	firstWait    = 250 * time.Millisecond
	firstWaitDev = 60 * time.Millisecond
	// firstTransfer is what a block that has begun to come is thought to take: with twice
	// that, newcomers asked others for what was half here.
	firstTransfer = 120 * time.Millisecond

	// Time-outs, after RFC 6298 on service times. The least is what an uploader
	// that keeps maxBacklog may take: in simulation a shorter one (150 to 450 ms)
	// moved requests that were about to be answered, and every such move cost a
	// duplicate. Urgent blocks do not wait for it: see expectAsk.
	minRTO = 700 * time.Millisecond
	maxRTO = 2 * time.Second
	// silent is after how long without any answer a peer loses all its work.
	silent = 2 * time.Second
	// narrowSilent is the same where our own line keeps all of them waiting.
	narrowSilent = 5 * time.Second
	// A suspect is tried again after firstPardon, then after twice that, up to
	// lastPardon.
	firstPardon = time.Second
	lastPardon  = 30 * time.Second
	// dropAfter is the pardon with which a peer is dropped: five times in a row, over
	// twenty seconds or so, it has let us wait, and has delivered nothing.
	dropAfter = 16 * time.Second
	// liarAfter is how many blocks a peer may announce and fail to deliver
	// before it is believed only when nobody else is left.
	liarAfter = 3

	// moveGain is how much sooner another holder must be expected to deliver a
	// block before a request that waits in a queue is moved to it.
	moveGain = 250 * time.Millisecond
	// copyGain is how much sooner than it comes a block that would be late must be
	// expected of another to be asked for twice, after a third of the time that is left;
	// strangerGain where it was asked of a neighbour that may deliver nothing, or
	// newcomers need whatever helps (swamped). In an emulated network 75 ms for all had
	// two blocks in a hundred come twice, not one.
	copyGain     = 125 * time.Millisecond
	strangerGain = 50 * time.Millisecond
	// explore: one ask in so many goes to a random holder, to find out.
	explore = 24

	// lastResort is what asking a publisher for a block that it did not offer
	// costs in expected time.
	lastResort = 400 * time.Millisecond

	// Refusals.
	minRetry = 80 * time.Millisecond
	maxRetry = 500 * time.Millisecond
	// A peer that is busy is asked for nothing for a while, longer with each
	// refusal in a row.
	minBusy = 100 * time.Millisecond
	maxBusy = 1200 * time.Millisecond

	// Duplicates: one in dupShare of what was received (2 %), and dupFloor
	// blocks in any case, so that a start or a rescue need not wait for credit.
	// Credit does not pile up beyond dupMost. In simulation half of that saved
	// uplinks 1 % more, and liars made others wait one and a half times as long.
	dupShare = 50
	dupFloor = 6
	dupMost  = 16

	// Origin.

	maxFetches = 2 // at once
	// Where the way to the origin is lossy or long, a segment is fetched by up to
	// maxLanes requests, of leastLane blocks at least, until it comes QuickEnough
	// times as fast as it plays. Browsers open six connections to a server.
	maxLanes  = 4
	leastLane = 2
	// firstSegments is how many segments a newcomer's player is given in haste, where
	// there is room, and StartLanes by how many requests the first one is fetched. In an
	// emulated network three in haste had the origin send a tenth of a copy more, and
	// one alone had one segment in twenty come 0.3 s later.
	firstSegments = 2
	StartLanes    = 6
	// slowStart is how long a first segment takes longer than which means that packets are
	// lost: where none are, and viewers are near, it is half a second.
	slowStart = time.Second
	// hasteRoom is how many times as wide as for all viewers the origin's line must be
	// for that. With three times, two viewers hurried where the line carries seven copies,
	// and what the second one took its neighbour could have sent as soon.
	hasteRoom = 5
	// QuickEnough is how many times as fast as it plays a segment shall come from an
	// origin whose line has room for it.
	QuickEnough = 3
	// worthStopping is how many blocks neighbours must be able to send to make a
	// second request to the origin for the rest worth its round trip.
	worthStopping = 3
	// trustPeers is how long neighbours then have to show that they can.
	trustPeers     = 400 * time.Millisecond
	firstTTFB      = 200 * time.Millisecond
	firstTTFBDev   = 80 * time.Millisecond
	firstBlock     = 40 * time.Millisecond // 6.5 Mbit/s
	firstBlockDev  = 15 * time.Millisecond
	maxFetchTime   = 10 * time.Second
	originAge      = 4 * time.Second
	minStall       = 3 * time.Second // without a byte
	minOriginPause = 300 * time.Millisecond
	maxOriginPause = 10 * time.Second

	// urgentBase is added to twice the slow fetch time to make the urgent window.
	urgentBase = 500 * time.Millisecond
	// hardBase is added to the slow fetch time: below that nothing is waited for.
	hardBase = 300 * time.Millisecond
	// urgentPoll is how often an urgent segment is looked at if nothing happens.
	urgentPoll = 60 * time.Millisecond
	// A block shall be here an eighth of its segment before its due time, within
	// these bounds: what neighbours with full uplinks promise comes late. In
	// simulation 150 ms for all had viewers wait twice as long where uplinks are
	// smaller than the stream, and saved nothing; 500 ms had them wait twice as
	// long where every tenth packet is lost.
	minMargin, maxMargin = 150 * time.Millisecond, 250 * time.Millisecond
	// lateAsk is how long a block that is late already is said to be of use:
	// below urgentUpload, so that it counts as urgent there.
	lateAsk = 900 * time.Millisecond

	// A newcomer that knows of viewers waits for them to turn up before it fetches
	// all of its first segment from the origin, until it has met companyEnough of
	// them, and for companyTrips round trips after it has met the first node at most, and
	// for companyMost; not at all where those to the nearest node are more. Meanwhile
	// newcomers fetch newcomersMost of one segment, all together, see newcomersShare. In
	// simulation half as many trips were enough for 40 ms, and with 60 or 100 ten who come
	// together had 0.1 or 0.35 copies more. Twenty whose first neighbours are 80 ms away,
	// and the others 120 to 160, had 0.5 copies more, and began 0.05 to 0.08 s sooner,
	// when they gave up once they met one of the latter. With 200 ms to wait at all saved
	// 0.4 copies, for starts of 2.0 s in place of 1.2.
	companyTrips  = 8
	companyBase   = 50 * time.Millisecond
	companyMost   = 900 * time.Millisecond
	companyEnough = 4
	newcomersMost = 0.5
	// trustOthers is for how long a newcomer asks only those who hold what it wants,
	// where the origin's line is too narrow for all.
	trustOthers = time.Second
	// inOneGo is how long a neighbour may take to tell all that it holds.
	inOneGo = 15 * time.Millisecond

	// leastLeft is which part of the origin's line is for viewers in any case.
	leastLeft = 0.05

	// Suppression of origin fetches.

	stripe       = 8  // blocks that one neighbour fetches for all
	smallSwarm   = 30 // viewers, up to which neighbours are ranked
	minGrace     = 150 * time.Millisecond
	minGap       = 400 * time.Millisecond // without a new block of a segment that was coming
	minStep      = 150 * time.Millisecond
	fresh        = 3                      // half playing times for which a new segment is not late, see freshUntil
	joinGrace    = 600 * time.Millisecond // for neighbours to turn up at first,
	helloGrace   = 300 * time.Millisecond // for one that did to say what it holds,
	joinMost     = time.Second            // and until when we wait for that
	roundWindow  = 600 * time.Millisecond // W
	roundGap     = 300 * time.Millisecond // g
	roundStep    = 75 * time.Millisecond  // W per lambda, at the least: of a thousand viewers' W
	maxRounds    = 3
	urgentRound  = maxRounds + 1 // what urgent blocks are drawn by
	claimSlack   = 300 * time.Millisecond
	maxEmpty     = 3 // claims without data per peer and emptySpan
	emptySpan    = time.Minute
	emptyPenalty = 10 * time.Minute
	maxClaimants = 64 // claimants remembered, and claims remembered per segment
	maxTTL       = 8

	// Announcements.

	coalesce = 40 * time.Millisecond
	// longPause is how long changes are gathered at most while the uplink is busy.
	longPause = 250 * time.Millisecond
	// commonFrom is how many neighbours may have a block (or half of all, if that
	// is more) until telling that we have it too can wait.
	commonFrom = 3
	// partners is how many neighbours are told of what others have, too: enough
	// to keep uplinks busy. With all of thirty, announcements, requests and
	// refusals took an eighth of uplinks that are smaller than the stream.
	partners = 12
	// rareUpTo is how many may have a block that all are told of.
	rareUpTo = 1
	// manyPeers stretches coalesce in proportion beyond so many neighbours.
	manyPeers = 6
	// greet bounds the announcements to one newcomer in one go, greetEvery is
	// the time between two goes.
	greet      = 64
	greetEvery = 100 * time.Millisecond

	// Uploads.

	maxQueue      = 512 // requests of all peers
	maxPeerQueue  = 64  // of one peer
	maxBlockQueue = 4   // for one block: others shall ask who has it by then
	maxPeerSlots  = 2   // of one peer
	// maxBacklog is how long a queue may be expected to take: an answer later
	// than that would find the asker gone.
	maxBacklog = 500 * time.Millisecond
	// minQueue is how many requests may wait in any case, lest the uplink idle.
	minQueue = 2
	// slowUplink is the time per block from which on fewer are sent at once: what is
	// urgent would wait long beside what is not.
	slowUplink = 40 * time.Millisecond
	// urgentUpload is how soon a request must be due to go first.
	urgentUpload = time.Second
	// starved is how long a request may be overtaken by others.
	starved = 700 * time.Millisecond
	// stuckAfter is when a slot that the network does not free counts no more.
	stuckAfter = 2 * time.Second
	// stuckAlone is when it does, in times per block of the uplink, while nothing is
	// sent to anybody else: two blocks at a time take two each.
	stuckAlone = 4
	// deprivedSpan is over which time what a peer got from us is weighed.
	deprivedSpan = 2 * time.Second

	// Super-seeding.

	showAhead    = 400 * time.Millisecond // of the uplink's time
	maxShown     = 16                     // blocks shown and not yet sent, in all
	maxShownPeer = 4                      // and per neighbour
	minSpread    = 300 * time.Millisecond
	firstSpread  = 200 * time.Millisecond
	secondCopy   = 600 * time.Millisecond // until a second holder must show up
	maxSeedAge   = 20 * time.Second
)
