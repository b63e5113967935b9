package node

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"coral/node/channel"
	"coral/store/segment"
)

// TestRandomPublisher: whatever a publisher signs, however little sense it makes,
// and whatever players ask for meanwhile, a viewer does not fall over.
func TestRandomPublisher(t *testing.T) {
	for seed := range uint64(32) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			p := newRandomPublisher(rng)
			cfg := sharing(t, "x")
			cfg.CacheSize, cfg.Latency = 0, time.Duration(rng.IntN(20))*time.Second
			s := watch(t, run(t, cfg).Node, p.desc.Link())
			var players sync.WaitGroup
			defer players.Wait()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			for _, rec := range [][]byte{p.delegation(), p.presentation()} {
				s.do(ctx, func() { s.record(rec, nil) })
			}
			for range 150 {
				rec := p.entry()
				switch rng.IntN(16) {
				case 0:
					rec = p.presentation()
				case 1:
					first, steps := rng.IntN(100), rand.New(rand.NewPCG(seed, rng.Uint64()))
					players.Go(func() { stray(ctx, s, first, steps) })
				case 2:
					s.Pin(rng.IntN(4) - 1)
					s.Picture()
					s.Renditions()
				case 3:
					id := rng.IntN(4)
					players.Go(func() { _ = s.Captions(ctx, id, time.Hour, func([]Caption) {}) })
				}
				s.do(ctx, func() { s.record(rec, nil) })
			}
		})
	}
}

var reference = regexp.MustCompile(`(?m)^[^#\n]+$|URI="[^"]+"`)

// stray opens one of the URLs that players open, and follows a few references at
// random.
func stray(ctx context.Context, s *Session, first int, rng *rand.Rand) {
	c := &http.Client{Transport: &http.Transport{}, Timeout: 300 * time.Millisecond}
	defer c.CloseIdleConnections()
	base := s.URL()[:strings.LastIndexByte(s.URL(), '/')+1]
	url := s.PlayerURLAt(time.Duration(first) * time.Minute)
	if names := []string{"master.m3u8", "variants.m3u8", "live-1-1.m3u8", "shown-1-1.m3u8", "0-h1-1.m3u8", "0/1.ts"}; first < len(names)*10 {
		url = base + names[first%len(names)]
	}
	for range 4 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return
		}
		res, err := c.Do(req)
		if err != nil {
			return
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		refs := reference.FindAllString(string(text), -1)
		if len(refs) == 0 {
			return
		}
		url = base + strings.Trim(strings.TrimPrefix(refs[rng.IntN(len(refs))], "URI="), `"`)
	}
}

// randomPublisher signs a channel that makes little sense.
type randomPublisher struct {
	rng        *rand.Rand
	root, key  ed25519.PrivateKey
	desc       *channel.Descriptor
	now        time.Time
	revision   uint64
	fragmented bool
	chains     map[uint16]*randomChain
}

// randomChain is where one rendition's chain goes on.
type randomChain struct {
	index, sequence, inits, discontinuity uint64
	prev                                  segment.Digest
}

func newRandomPublisher(rng *rand.Rand) *randomPublisher {
	p := &randomPublisher{
		rng: rng, root: ed25519.NewKeyFromSeed(make([]byte, 32)), key: ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", 32))),
		now: time.Now().UTC().Truncate(time.Second), fragmented: rng.IntN(3) == 0, chains: map[uint16]*randomChain{},
	}
	p.desc = &channel.Descriptor{Name: "Random", Root: p.root.Public().(ed25519.PublicKey)}
	if rng.IntN(2) == 0 {
		p.desc.Origins = []string{"http://127.0.0.1:1/a.m3u8"}
	}
	return p
}

func (p *randomPublisher) delegation() []byte {
	return channel.Delegate(p.root, p.desc.Channel(), p.key.Public().(ed25519.PublicKey), 1, p.now.Add(-time.Hour), p.now.Add(time.Hour))
}

func (p *randomPublisher) presentation() []byte {
	p.revision++
	pr := &channel.Presentation{Revision: p.revision, Time: p.now, Single: p.rng.IntN(5) == 0}
	for id := range uint16(1 + p.rng.IntN(4)) {
		r := channel.Rendition{ID: id, Media: id, URI: fmt.Sprint(id, ".m3u8"), Bandwidth: int64(p.rng.IntN(3)) * 1e6, Resolution: "320x180"}
		if id > 0 && p.rng.IntN(3) == 0 {
			r.Kind, r.Group = channel.RenditionKind(1+p.rng.IntN(3)), "g"
		}
		if r.Kind == channel.Variant && p.rng.IntN(2) == 0 {
			r.AudioGroup = "g"
		}
		if pr.Renditions = append(pr.Renditions, r); pr.Single {
			break
		}
	}
	return channel.SignPresentation(p.key, p.desc.Channel(), pr)
}

// entry signs what comes next of some rendition, or what does not.
func (p *randomPublisher) entry() []byte {
	one := func(of int) bool { return p.rng.IntN(of) == 0 }
	numbers := []uint64{0, 1, 2, 1 << 20, 1 << 32, 1<<62 - 1, 1 << 62}
	lengths := []time.Duration{0, 1, time.Millisecond, 300 * time.Millisecond, 2 * time.Second, time.Hour}
	id := uint16(p.rng.IntN(4))
	c := p.chains[id]
	if c == nil {
		c = &randomChain{sequence: numbers[p.rng.IntN(len(numbers))]}
		p.chains[id] = c
	}
	if one(20) {
		c.index, c.prev = c.index+uint64(p.rng.IntN(5)), segment.Digest{1}
	}
	p.now = p.now.Add(time.Millisecond)
	data := make([]byte, []int{0, 1, 100, segment.BlockSize, segment.BlockSize + 1, 70000}[p.rng.IntN(6)])
	e := &channel.Entry{
		Rendition: id, Index: c.index, Prev: c.prev, Time: p.now, Sequence: c.sequence, WindowStart: c.sequence - min(c.sequence, uint64(p.rng.IntN(8))),
		Duration: lengths[p.rng.IntN(len(lengths))], Target: lengths[p.rng.IntN(len(lengths))],
		Discontinuity: one(10), DiscontinuitySequence: c.discontinuity, HasInit: p.fragmented, Init: uint64(p.rng.IntN(3)),
	}
	if one(5) {
		e.Type = channel.PlaylistType(1 + p.rng.IntN(2))
	}
	if one(3) {
		e.WindowStart = numbers[p.rng.IntN(len(numbers))]
	}
	if one(10) {
		e.Key = &channel.Key{Method: channel.AES128, URI: fmt.Sprint("k", p.rng.IntN(3))}
	}
	if one(12) {
		e.ProgramDateTime = p.now
	}
	switch {
	case one(15):
		e.Kind, e.Sequence = segment.Init, c.inits
		data = data[:max(1, len(data))-1]
		data = append(data, 1)
		c.inits++
	case one(25):
		e.End = true
	default:
		c.sequence++
		if one(20) {
			c.sequence += uint64(p.rng.IntN(5))
		}
		if e.Discontinuity {
			c.discontinuity++
		}
	}
	e.URI, e.Size, e.Blocks = fmt.Sprint(e.Sequence, ".ts"), len(data), segment.Digests(data)
	rec := channel.SignEntry(p.key, p.desc.Channel(), e)
	if rec != nil {
		c.prev = channel.RecordDigest(rec)
		c.index++
	}
	return rec
}
