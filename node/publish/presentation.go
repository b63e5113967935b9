package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"coral/node/channel"
	"coral/node/hls"
)

const (
	presentationFile = "presentation.json"
	// maxRows bounds the renditions whose numbers are remembered, far above what
	// any source has at a time (64).
	maxRows = 4096
)

// row remembers which number a rendition has. Numbers are never given twice.
type row struct {
	ID   uint16 `json:"id"`
	Kind uint8  `json:"kind"`
	Ref  string `json:"ref"`   // where its playlist is, without query
	Attr string `json:"attr"`  // all else that tells it from others
	Own  bool   `json:"chain"` // it has a chain of its own
}

// presented is the newest presentation and the numbers.
type presented struct {
	Record       []byte                `json:"record,omitempty"`
	Presentation *channel.Presentation `json:"presentation,omitempty"`
	Rows         []row                 `json:"rows"`
}

// line is a rendition of the source's playlist, and the ref of its own.
type line struct {
	channel.Rendition
	ref string // empty: it has none
}

// lines resolves the renditions of a multivariant playlist found at final.
func (p *Publisher) lines(mv *hls.Multivariant, top, final string) ([]line, error) {
	list := make([]line, len(mv.Renditions))
	for i, r := range mv.Renditions {
		list[i].Rendition = r
		if r.URI == "" {
			continue
		}
		ref, err := p.source.resolve(final, r.URI)
		if err != nil {
			return nil, err
		}
		list[i].ref = ref
		list[i].URI = p.publicURI(p.nominalTop(top), final, r.URI)
	}
	return list, nil
}

// attr is what a rendition is, apart from where.
func attr(r *channel.Rendition) string {
	return strings.Join([]string{
		r.Group, r.Name, r.Language, r.Resolution, r.Codecs, fmt.Sprint(r.Bandwidth),
		r.AudioGroup, r.VideoGroup, r.SubtitlesGroup, r.CaptionsGroup, r.InstreamID,
	}, "\x1f")
}

func withoutQuery(ref string) string {
	if u, err := url.Parse(ref); err == nil && u.Scheme != "" {
		u.RawQuery, u.Fragment = "", ""
		return u.String()
	}
	return ref
}

// number gives each line the number that it had before, or a new one. Lines that
// share a playlist share a chain: that of the lowest number, so that their order
// does not matter.
func number(rows []row, list []line) ([]row, error) {
	taken := map[int]bool{}
	of := make([]int, len(list)) // the row of each line, or -1
	for i := range of {
		of[i] = -1
	}
	match := func(same func(r *row, l *line) bool) {
		for i := range list {
			for k := range rows {
				if of[i] < 0 && !taken[k] && rows[k].Kind == uint8(list[i].Kind) && same(&rows[k], &list[i]) {
					of[i], taken[k] = k, true
				}
			}
		}
	}
	place := func(r *row, l *line) bool {
		return r.Ref == withoutQuery(l.ref) && (r.Ref != "" || r.Attr == attr(&l.Rendition))
	}
	nature := func(r *row, l *line) bool { return r.Attr == attr(&l.Rendition) }
	match(func(r *row, l *line) bool { return place(r, l) && nature(r, l) })
	match(place)
	match(nature)
	next := 0
	for _, r := range rows {
		next = max(next, int(r.ID)+1)
	}
	rows = slices.Clone(rows)
	for i := range list {
		if of[i] < 0 {
			if len(rows) >= maxRows || next > 0xffff {
				return nil, errors.New("the source has had too many renditions")
			}
			of[i] = len(rows)
			rows = append(rows, row{ID: uint16(next), Kind: uint8(list[i].Kind)})
			next++
		}
		rows[of[i]].Ref, rows[of[i]].Attr = withoutQuery(list[i].ref), attr(&list[i].Rendition)
	}
	// hls says by position who shares whose playlist.
	lowest := map[uint16]uint16{}
	for i := range list {
		id := rows[of[i]].ID
		if old, ok := lowest[list[i].Media]; !ok || id < old {
			lowest[list[i].Media] = id
		}
	}
	for i := range list {
		l := &list[i]
		l.ID = rows[of[i]].ID
		l.Media = lowest[l.Media]
		if l.ref == "" {
			l.Media = l.ID
		}
		if l.Media == l.ID && l.ref != "" {
			rows[of[i]].Own = true
		}
	}
	return rows, nil
}

// settle makes list what viewers are told, as a new revision if it differs from
// the newest. It returns with the presentation written down and handed on.
func (p *Publisher) settle(ctx context.Context, list []line, single, independent bool) error {
	rows, err := number(p.presented.Rows, list)
	if err != nil {
		return err
	}
	next := &channel.Presentation{Single: single, IndependentSegments: independent}
	for _, l := range list {
		next.Renditions = append(next.Renditions, l.Rendition)
	}
	old := p.presented.Presentation
	if old != nil && equal(old, next) {
		p.presented.Rows = rows // at most a query has changed
		return nil
	}
	now := time.Now()
	next.Time = now.UTC().Truncate(time.Millisecond)
	// The time keeps revisions rising even where the file was lost.
	next.Revision = uint64(max(1, now.Unix()))
	if old != nil {
		next.Revision = max(next.Revision, old.Revision+1)
		if next.Time.Before(old.Time) {
			next.Time = old.Time
		}
	}
	if err := next.Check(); err != nil {
		return err
	}
	key, delegation, err := p.keys.signer(next.Time)
	if err != nil {
		return err
	}
	rec := channel.SignPresentation(key, p.id.channel, next)
	if rec == nil {
		return errors.New("presentation is too large")
	}
	for _, row := range rows {
		if row.Own {
			if err := beginChain(p.disk, row.ID); err != nil {
				return err
			}
		}
	}
	state := presented{Record: rec, Presentation: next, Rows: rows}
	if err := p.disk.writeJSON(presentationFile, &state); err != nil {
		return err
	}
	p.presented = state
	p.log.Info("presentation", "revision", next.Revision, "renditions", len(next.Renditions))
	p.hand(ctx, Update{Records: [][]byte{delegation, rec}})
	return nil
}

// equal reports whether two presentations say the same to viewers.
func equal(a, b *channel.Presentation) bool {
	return a.Single == b.Single && a.IndependentSegments == b.IndependentSegments && slices.Equal(a.Renditions, b.Renditions)
}

// onlyMoved reports whether two lists of lines differ in addresses alone.
// Servers that put a session into each answer give new ones all the time.
func onlyMoved(a, b []line) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i].Rendition, b[i].Rendition
		if (x.URI == "") != (y.URI == "") {
			return false
		}
		if x.URI, y.URI = "", ""; x != y {
			return false
		}
	}
	return true
}

// chains returns the lines that have a chain of their own, by number.
func chains(list []line) []line {
	own := slices.DeleteFunc(slices.Clone(list), func(l line) bool { return l.Media != l.ID || l.ref == "" })
	slices.SortFunc(own, func(a, b line) int { return cmp.Compare(a.ID, b.ID) })
	return own
}
