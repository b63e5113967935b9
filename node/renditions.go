package node

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"coral/node/channel"
)

// Auto is the Pin that leaves the choice of a variant to the session.
const Auto = -1

// RenditionInfo describes a rendition to people.
type RenditionInfo struct {
	ID            int
	Kind          channel.RenditionKind
	Name          string // of the source; may be empty
	Language      string // BCP 47; may be empty
	Width, Height int    // of variants; 0: not told
	FrameRate     float64
	Bandwidth     int64 // bits per second at most; 0: not told
	Default       bool
	Chosen        bool // the variant that PlayerURL gives a player that loads it now
}

// Renditions lists what the channel offers: variants as the source orders them,
// audio and subtitles. It is empty until the channel's presentation is known.
func (s *Session) Renditions() (out []RenditionInfo) {
	_ = s.do(context.Background(), func() {
		pr := s.shown()
		if pr == nil {
			return
		}
		chosen := s.choose(pr)
		for i := range pr.Renditions {
			r := &pr.Renditions[i]
			if r.Kind == channel.Captions {
				continue // carried within the picture; players offer them
			}
			info := RenditionInfo{
				ID: int(r.ID), Kind: r.Kind, Name: r.Name, Language: r.Language, FrameRate: r.FrameRate,
				Bandwidth: r.Bandwidth, Default: r.Default, Chosen: chosen != nil && r.ID == chosen.ID,
			}
			info.Width, info.Height = dimensions(r.Resolution)
			out = append(out, info)
		}
	})
	return out
}

var errNoVariant = errors.New("the channel's playlist has no variant")

func dimensions(resolution string) (w, h int) {
	if l, r, ok := strings.Cut(resolution, "x"); ok {
		w, _ = strconv.Atoi(l)
		h, _ = strconv.Atoi(r)
	}
	return w, h
}

// Pin says which variant PlayerURL gives a player from now on, by its ID; Auto:
// the best that the bytes come fast enough for. A player that has loaded the URL
// stays with what it was given until it loads it again.
func (s *Session) Pin(id int) { s.post(func() { s.pinned = id }) }

// Chosen implements proxy.Channel: one variant, with the renditions of its
// groups that are played with it.
func (s *Session) Chosen(ctx context.Context) (*channel.Presentation, error) {
	pr, err := s.Multivariant(ctx)
	if err != nil {
		return nil, err
	}
	one := &channel.Presentation{IndependentSegments: pr.IndependentSegments}
	err = s.do(ctx, func() {
		v := s.choose(pr)
		if v == nil {
			return
		}
		for i := range pr.Renditions {
			r := pr.Renditions[i]
			if r.Kind == channel.Variant && r.ID != v.ID || r.Kind != channel.Variant && !belongs(&r, v) {
				continue
			}
			if r.ID == v.ID {
				r.SubtitlesGroup = "" // see Captions: FFmpeg does not read them
				if pr.Single {
					r.URI, r.Bandwidth = "media.m3u8", 1 // what a variant must have; neither is used
				}
			}
			one.Renditions = append(one.Renditions, r)
		}
	})
	if err == nil && len(one.Renditions) == 0 {
		err = unavailable(errNoVariant)
	}
	return one, err
}

// belongs reports whether r is played with variant v.
func belongs(r, v *channel.Rendition) bool {
	switch r.Kind {
	case channel.Audio:
		return r.Group == v.AudioGroup
	case channel.Video:
		return r.Group == v.VideoGroup
	case channel.Captions:
		return r.Group == v.CaptionsGroup
	}
	return false
}

// choose returns the variant that is pinned, or is the best for Auto.
func (s *Session) choose(pr *channel.Presentation) *channel.Rendition {
	var variants []*channel.Rendition
	for i := range pr.Renditions {
		if r := &pr.Renditions[i]; r.Kind == channel.Variant && (r.URI != "" || pr.Single) {
			if int(r.ID) == s.pinned {
				return r
			}
			variants = append(variants, r)
		}
	}
	if len(variants) == 0 {
		return nil
	}
	slices.SortStableFunc(variants, func(a, b *channel.Rendition) int { return int(min(max(a.Bandwidth-b.Bandwidth, -1), 1)) })
	rates := make([]int64, len(variants))
	for i, v := range variants {
		rates[i] = v.Bandwidth
	}
	return variants[s.ladder.choose(s.instant(), rates)]
}
