package publish

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/node/origin"
	"coral/store/segment"
)

// Update is what the publisher hands on: signed records in an order in which a
// feed takes them, and the bytes that the last of them speaks of.
type Update struct {
	Records [][]byte
	// ID, Size and Root name the object whose bytes Data holds. Data is nil for
	// records that have none, and for those of before a restart whose bytes come
	// later, if the source still has them.
	ID   segment.ID
	Size int
	Root segment.Digest
	Data []byte
}

// Sink spreads what is published.
type Sink interface {
	// Publish takes an update, which it then owns. It may be called by several
	// goroutines, for one rendition in the chain's order. The same record may
	// come again after a restart, or with its bytes. An error means that it
	// should be tried again, unless ctx has ended.
	Publish(ctx context.Context, u Update) error
}

// Holder is a Sink that may have an object's bytes from before a restart.
type Holder interface {
	Holds(id segment.ID, root segment.Digest) bool
}

// Config says what is to be published.
type Config struct {
	// Source is an http(s) playlist URL, a folder, or put://HOST:PORT/.
	Source string
	// State is the folder that holds the channel's identity and history.
	State string
	// Name of the channel. It counts when the folder is new, as do the next two.
	Name    string
	Private bool
	// ViewerOrigin is the playlist URL that viewers may fetch from. Empty: Source
	// if it is a URL; NoOrigin: none.
	ViewerOrigin string
	Dial         origin.DialFunc // for an http(s) source; nil: straight
	UserAgent    string
	Log          *slog.Logger // nil: none
}

// NoOrigin as Config.ViewerOrigin leaves viewers with the swarm alone.
const NoOrigin = "none"

const (
	// reviewTop is how often the channel's own playlist is looked at: renditions
	// come and go rarely.
	reviewTop = 5 * time.Second
	// retryTop bounds the pauses between failures to read it.
	retryTop = 2 * time.Second
	// retryLocal is the pause for a folder.
	retryLocal = 250 * time.Millisecond
	// retrySink bounds the pauses between failures of the sink.
	retrySink = 2 * time.Second
	// offerBatch is how many bytes of records one update holds at most.
	offerBatch = 256 << 10
	// failingFor is how long a rendition's playlist must have failed for its
	// address to be taken anew from the channel's playlist, where only the
	// addresses have changed.
	failingFor = 3 * time.Second
)

// Publisher publishes one channel.
type Publisher struct {
	cfg    Config
	log    *slog.Logger
	disk   *disk
	id     *identity
	keys   *keyring
	source source
	reach  reachability
	slots  chan struct{} // fetches under way
	review chan struct{} // of capacity 1: look at the channel's playlist now

	sink      Sink      // set by Run
	presented presented // owned by Run's goroutine

	stats counters
}

// Open opens the state folder and the source. It does not yet ask the source for
// anything. A Publisher that was opened must be closed.
func Open(cfg Config) (*Publisher, error) { return open(cfg, nil) }

func open(cfg Config, step func(string) error) (_ *Publisher, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p := &Publisher{cfg: cfg, log: cfg.Log, slots: make(chan struct{}, maxFetches), review: make(chan struct{}, 1)}
	origins, err := p.origins()
	if err != nil {
		return nil, err
	}
	if p.disk, err = openDisk(cfg.State, step); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if p.source, err = openSource(&p.cfg, p.disk); err != nil {
		return nil, err
	}
	id, differs, err := openIdentity(p.disk, wish{name: cfg.Name, origins: origins, private: cfg.Private})
	if err != nil {
		return nil, err
	}
	for _, d := range differs {
		p.log.Warn("the state folder's channel is kept: a new state folder makes a new channel", "so", d)
	}
	p.id = id
	switch o := id.desc.Origins; {
	case len(o) == 0:
		p.reach = noServer
	case o[0] != cfg.Source:
		p.reach = otherServer
	}
	p.keys, err = openKeyring(p.disk, id.channel, func() (ed25519.PrivateKey, error) { return readRoot(p.disk) }, time.Now())
	if err != nil {
		return nil, err
	}
	if _, err = p.disk.readJSON(presentationFile, &p.presented); err != nil {
		return nil, err
	}
	return p, nil
}

// origins are the playlist URLs that the channel is to name.
func (p *Publisher) origins() ([]string, error) {
	o := p.cfg.ViewerOrigin
	switch {
	case strings.EqualFold(o, NoOrigin):
		return nil, nil
	case o == "" && !isURL(p.cfg.Source):
		return nil, nil
	case o == "":
		o = p.cfg.Source
	}
	if u, err := url.Parse(o); err != nil || !isURL(o) || u.Host == "" {
		return nil, fmt.Errorf("viewers' origin %.80q: want an http(s) playlist URL, or none", o)
	} else if u.RawQuery != "" {
		p.log.Warn("the viewers' origin holds a query: whoever has the link can read it", "host", u.Host)
	}
	return []string{o}, nil
}

// Close frees what Open took. Run must have returned.
func (p *Publisher) Close() error {
	var errs []error
	if p.source != nil {
		errs = append(errs, p.source.close())
	}
	errs = append(errs, p.disk.close())
	return errors.Join(errs...)
}

// Channel is the channel's info-hash.
func (p *Publisher) Channel() segment.Channel { return p.id.channel }

// Descriptor says what the channel is. It must not be changed.
func (p *Publisher) Descriptor() *channel.Descriptor { return p.id.desc }

// Secret is a private channel's secret, and nil for a public one.
func (p *Publisher) Secret() []byte { return p.id.secret }

// Link returns the channel's link, which names advertise (HOST:PORT each) as the
// publisher's addresses and, if tracker is set, as those of its tracker.
func (p *Publisher) Link(advertise []string, tracker bool) *channel.Link {
	return p.id.link(advertise, tracker)
}

// Addr is where an encoder connects to a put source; nil for others.
func (p *Publisher) Addr() net.Addr {
	if s, ok := p.source.(*put); ok {
		return s.Addr()
	}
	return nil
}

// Run publishes into sink until ctx ends. It may be called once.
func (p *Publisher) Run(ctx context.Context, sink Sink) error {
	p.sink = sink
	p.count(func(s *Stats) { s.Since = time.Now() })
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		if err := p.source.run(ctx); err != nil && ctx.Err() == nil {
			cancel(err)
		}
	})
	p.offerBase(ctx)
	running := &team{p: p, ctx: ctx, wg: &wg, at: map[uint16]*member{}, offered: map[uint16]bool{}}
	defer running.stopAll()
	if err := running.offer(); err != nil {
		return err
	}
	top := &topPlaylist{}
	pause := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return nil
		case <-p.review:
		case <-time.After(pause):
		}
		if turned, err := p.keys.rotate(time.Now()); err != nil {
			p.failed(err)
			p.log.Error("signing key not renewed", "err", err)
		} else if turned {
			p.hand(ctx, Update{Records: p.keys.delegations()})
		}
		if err := p.look(ctx, top, running); err != nil && ctx.Err() == nil {
			p.failed(err)
			if top.failures++; top.failures == 1 || err.Error() != top.said {
				p.log.Warn("source failed", "err", err)
			}
			top.said = err.Error()
			pause = min(retryTop, pollLive<<min(top.failures, 8))
			if p.source.local() {
				pause = retryLocal
			}
			continue
		}
		top.failures = 0
		pause = reviewTop
	}
}

// offerBase hands on what every joiner needs first.
func (p *Publisher) offerBase(ctx context.Context) {
	recs := p.keys.delegations()
	if len(p.presented.Record) > 0 {
		recs = append(recs, p.presented.Record)
	}
	p.hand(ctx, Update{Records: recs})
}

// topPlaylist is what Run knows of the channel's playlist.
type topPlaylist struct {
	ref        string
	validators origin.Validators
	lines      []line // as it had them, not numbered
	failures   int
	said       string
}

// nominalTop is where viewers believe the channel's playlist to be.
func (p *Publisher) nominalTop(top string) string {
	if len(p.id.desc.Origins) > 0 {
		return p.id.desc.Origins[0]
	}
	return top
}

// look reads the channel's playlist, and brings what is published in line.
func (p *Publisher) look(ctx context.Context, top *topPlaylist, running *team) error {
	ref, err := p.source.top(ctx)
	if err != nil {
		return err
	}
	if ref != top.ref {
		*top = topPlaylist{ref: ref}
	}
	failing := running.failing(failingFor)
	if failing {
		top.validators = origin.Validators{}
	}
	body, final, same, err := p.source.playlist(ctx, ref, &top.validators)
	if err != nil || same {
		return err
	}
	mv, _, err := hls.Parse(body)
	if err != nil {
		top.validators = origin.Validators{}
		return err
	}
	single := mv == nil
	list := []line{{ref: ref}}
	if !single {
		if list, err = p.lines(mv, ref, final); err != nil {
			top.validators = origin.Validators{}
			return err
		}
	}
	if !failing && onlyMoved(top.lines, list) {
		return nil
	}
	seen := slices.Clone(list)
	if err := p.settle(ctx, list, single, mv != nil && mv.IndependentSegments); err != nil {
		top.validators = origin.Validators{} // to be tried again
		return err
	}
	if err := running.align(chains(list), ref, single); err != nil {
		top.validators = origin.Validators{}
		return err
	}
	top.lines = seen
	return nil
}

// nudge asks Run to look at the channel's playlist soon.
func (p *Publisher) nudge(yes bool) {
	if !yes {
		return
	}
	select {
	case p.review <- struct{}{}:
	default:
	}
}

// hand gives an update to the sink, however often that has to be tried.
func (p *Publisher) hand(ctx context.Context, u Update) {
	for pause := firstRetry; ctx.Err() == nil; pause = min(2*pause, retrySink) {
		err := p.sink.Publish(ctx, u)
		if err == nil || ctx.Err() != nil {
			return
		}
		p.failed(fmt.Errorf("publish: %w", err))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// isQuiet reports errors that say nothing about the source.
func isQuiet(err error) bool {
	return errors.Is(err, errBeingWritten) || errors.Is(err, context.Canceled) || errors.Is(err, io.ErrClosedPipe)
}
