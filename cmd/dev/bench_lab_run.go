package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"coral/cmd/dev/lab"
	"coral/node/nodetest"
	"coral/node/sim"
)

// labRun is a scenario once through, with Coral or as plain HLS. Origin and players
// are in this process, on sockets of their hosts; each node is a program of its own.
type labRun struct {
	labScenario
	coral     bool
	seed      uint64
	coralnode string // the program
	dir       string
	// silent and forger are the liars' programs, where there are any.
	silent, forger string

	network           *lab.Network
	origin, publisher *lab.Host
	viewers           []*labViewer
	playlist          string // the origin's URL

	begun  time.Time
	cancel context.CancelCauseFunc // ends the run, with the reason
	nodes  sync.WaitGroup
	idle   float64 // share of the processors' time
	steady float64 // copies sent to viewers when all have been there for a while
	after  float64 // copies sent to viewers when some have been dead for a while
	pings  []time.Duration
}

// labViewer is one of the viewers, and what became of it.
type labViewer struct {
	sim.Group
	last   bool // of the group that comes last
	name   string
	host   *lab.Host
	joins  time.Duration // from the run's beginning, as is leaves
	leaves time.Duration
	killed bool          // is how it leaves
	waited time.Duration // for the node's URL
	seen   *nodetest.Report
	got    []arrival // each segment
	// With Coral alone:
	node   *exec.Cmd
	share  float64 // of a processor that the node took
	memory float64 // that it took at most, in MiB
	counts demoStats
	kept   []time.Time // when it was asked for a block that it did not send: see lies
}

// measured reports whether its viewing is measured: not that of one who is there to
// harm the others.
func (v *labViewer) measured() bool { return v.Kill == 0 && !v.lies() }

func (v *labViewer) lies() bool { return v.Liar || v.Forger }

const (
	nodeListens = "0.0.0.0:7000"
	// publishAt is when the publisher comes: the origin has a segment by then.
	publishAt = 4 * time.Second
	// playersEnd is how long before the nodes: nobody stalls because others leave.
	playersEnd = 5 * time.Second
	// recovers is how long after viewers are killed the others must be as before; for
	// so long what they are sent is measured then.
	recovers = 10 * time.Second
)

// run does everything; the viewers then hold what they saw.
func (r *labRun) run(ctx context.Context) (err error) {
	r.network = lab.New(r.seed)
	r.network.Spell = r.spell
	defer r.network.Close()
	if err := r.hosts(); err != nil {
		return err
	}
	var services sync.WaitGroup
	defer services.Wait()
	carrying, stop := context.WithCancel(context.WithoutCancel(ctx)) // nodes say good-bye over it
	defer stop()
	services.Go(func() { _ = r.network.Run(carrying) })
	l, err := r.origin.Listen(ctx, 80)
	if err != nil {
		return err
	}
	source := nodetest.NewOrigin(nodetest.OriginConfig{Segment: liveSegment, Window: liveWindow, Bitrates: r.bitrates()})
	r.playlist = "http://" + r.origin.Addr.String() + source.Path()
	server := &http.Server{Handler: source, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	services.Go(func() { _ = server.Serve(l) })
	defer server.Close()

	// Viewers who join every half second then meet the segments, of 2 s each, at all
	// ages alike, and none just when one appears: that would be luck.
	r.begun = time.Now().Add(joinEvery / 2)
	all, idle := machineTime()
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	living, cancel := context.WithDeadline(ctx, r.begun.Add(r.lasts))
	defer cancel()
	var everybody sync.WaitGroup
	do := func(what func(context.Context) error) {
		everybody.Go(func() {
			if err := what(living); err != nil {
				r.cancel(err)
			}
		})
	}
	for _, v := range r.viewers {
		do(func(ctx context.Context) error { return r.watch(ctx, v) })
	}
	if r.coral {
		do(r.publish)
	}
	do(func(ctx context.Context) error { return r.egress(ctx, r.ends()-settled, settled, &r.steady) })
	if at := r.kills(); at > 0 {
		do(func(ctx context.Context) error { return r.egress(ctx, at+recovers, recovers, &r.after) })
	}
	if r.narrows.down > 0 {
		do(r.narrow)
	}
	if r.pinged {
		do(func(ctx context.Context) error { return r.ping(ctx, r.viewers[len(r.viewers)-1]) })
	}
	everybody.Wait()
	r.nodes.Wait()
	allNow, idleNow := machineTime()
	r.idle = (idleNow - idle) / (allNow - all)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.count()
}

// hosts makes them all.
func (r *labRun) hosts() (err error) {
	if r.origin, err = r.network.Host(sim.Link{Up: r.originUp, Down: 100 * mbit, Delay: 15 * time.Millisecond}); err != nil {
		return err
	}
	if r.publisher, err = r.network.Host(sim.Link{Up: r.publisherUp, Down: 100 * mbit, Delay: 5 * time.Millisecond}); err != nil {
		return err
	}
	r.viewers = r.audience(r.seed)
	for _, v := range r.viewers {
		if v.host, err = r.network.Host(v.Link); err != nil {
			return err
		}
	}
	return nil
}

// at is a file of the run.
func (r *labRun) at(name string) string { return filepath.Join(r.dir, name) }

// publish starts the publisher when its time has come.
func (r *labRun) publish(ctx context.Context) error {
	if err := wait(ctx, time.Until(r.begun.Add(publishAt))); err != nil {
		return err
	}
	own := netip.AddrPortFrom(r.publisher.Addr, netip.MustParseAddrPort(nodeListens).Port())
	_, err := r.start(ctx, r.publisher, r.coralnode, "publisher", interrupt, "publish", r.playlist, "--name", "Lab", "--state", r.at("state"),
		"--listen", nodeListens, "--advertise", own.String(), "--link-file", r.at("link"), "--upload-limit", fmt.Sprint(r.limit), "--dht", "off")
	return err
}

// egress measures how many copies of the stream viewers are sent in a span of the run.
func (r *labRun) egress(ctx context.Context, from, span time.Duration, copies *float64) error {
	if err := wait(ctx, time.Until(r.begun.Add(from))); err != nil {
		return err
	}
	before := r.sent()
	err := wait(ctx, time.Until(r.begun.Add(from+span)))
	*copies = float64(r.sent()-before) * 8 / float64(r.rate) / span.Seconds()
	return err
}

// sent is what origin and publisher have sent to viewers, in bytes on the wire. What
// liars take for themselves is not what they cost others: nobody need serve them.
func (r *labRun) sent() (sum int64) {
	for _, v := range r.viewers {
		if v.lies() {
			continue
		}
		sum += r.origin.SentTo(v.host) + r.publisher.SentTo(v.host)
	}
	return sum
}

// watch is what a viewer does. Its node is there until ctx ends, unless it is killed.
func (r *labRun) watch(ctx context.Context, v *labViewer) (err error) {
	if err := wait(ctx, time.Until(r.begun.Add(v.joins))); err != nil {
		return err
	}
	began := time.Now()
	life, end := ctx, interrupt
	playing, cancel := context.WithDeadline(ctx, r.begun.Add(v.leaves))
	defer cancel()
	if v.killed {
		life, end = playing, (*os.Process).Kill
		defer v.host.Cut()
	}
	url := r.playlist
	if r.coral {
		v.node, err = r.start(life, v.host, r.program(v), v.name, end, "watch", "@"+r.at("link"), "--share", "on", "--listen", nodeListens,
			"--upload-limit", capOf(v.Cap), "--url-file", r.at(v.name+".url"), "--stats-file", r.at(v.name+".json"),
			"--cache-dir", r.at(v.name+".cache"), "--cache-size", "512MiB")
		if err != nil {
			return err
		}
		for waitFor(playing, r.at(v.name+".url")) != nil { // what takes long is a figure here, not a failure
			if playing.Err() != nil {
				break
			}
		}
		b, _ := os.ReadFile(r.at(v.name + ".url"))
		url = strings.TrimSpace(string(b))
	}
	v.waited = time.Since(began)
	line := &http.Transport{DialContext: v.host.Dial, DisableCompression: true}
	defer line.CloseIdleConnections()
	v.seen = nodetest.Play(playing, nodetest.PlayerConfig{
		URL: url, Client: &http.Client{Transport: line},
		OnSegment: func(id nodetest.Ident, took time.Duration) {
			v.got = append(v.got, arrival{time.Since(r.begun), took, id.Rendition == len(r.bitrates())-1})
		},
	})
	if r.coral {
		v.memory = inMemory(v.node.Process.Pid, "VmHWM:")
	}
	return nil
}

// capOf is a link's cap as coralnode takes it, which 0 is none of.
func capOf(limit int64) string {
	if limit == 0 {
		return "unlimited"
	}
	return fmt.Sprint(limit)
}

// start starts a node's program on a host, for as long as ctx; then end makes it end.
func (r *labRun) start(ctx context.Context, on *lab.Host, program, name string, end func(*os.Process) error, args ...string) (*exec.Cmd, error) {
	c := exec.CommandContext(ctx, program, args...)
	c.Cancel = func() error { return end(c.Process) }
	c.WaitDelay = endWithin
	c.Env = append(os.Environ(), userFolders(r.at(name))...)
	said := new(bytes.Buffer)
	c.Stderr = said
	if err := on.Start(c); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	r.nodes.Go(func() {
		err := c.Wait()
		if ctx.Err() == nil { // nobody had asked it to
			lines := strings.Split(strings.TrimSpace(said.String()), "\n")
			r.cancel(fmt.Errorf("the %s ended early: %s (%v)", name, lines[len(lines)-1], err))
		}
	})
	return c, nil
}

// count takes what the nodes counted and took; those that were killed do not tell.
func (r *labRun) count() (err error) {
	for _, v := range r.viewers {
		if !r.coral || v.killed {
			continue
		}
		if v.counts, err = readStats(r.at(v.name + ".json")); err != nil {
			return fmt.Errorf("read what %s counted: %w", v.name, err)
		}
		used := v.node.ProcessState.UserTime() + v.node.ProcessState.SystemTime()
		v.kept = keptAt(v.node.Stderr.(*bytes.Buffer).String())
		v.share = used.Seconds() / (r.lasts - v.joins).Seconds()
	}
	return nil
}

// machineTime is what the processors have spent in all, and idly, in a unit of the
// system's: see proc(5).
func machineTime() (all, idle float64) {
	b, _ := os.ReadFile("/proc/stat") // where there are emulated networks, there is this
	line, _, _ := strings.Cut(string(b), "\n")
	for i, f := range strings.Fields(line)[1:] {
		var spent float64
		_, _ = fmt.Sscan(f, &spent)
		all += spent
		if i == 3 || i == 4 { // idle, and waiting for disks
			idle += spent
		}
	}
	return all, idle
}
