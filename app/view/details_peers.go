package view

import (
	"cmp"
	"math"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"coral/node/budget"
)

const (
	// peersDrawn is how many peers fit around without touching.
	peersDrawn = 48
	// Round-trip times of the innermost and the outermost circle.
	peerNear, peerFar = 10 * time.Millisecond, 400 * time.Millisecond
)

// placedPeer is a peer with its place: angle, and distance from 0 (near) to 1.
type placedPeer struct {
	Peer
	angle, far float64
}

// placePeers spreads peers around the middle in the order of their IDs, so that
// they stay where they are while others come.
func placePeers(peers []Peer) []placedPeer {
	all := slices.Clone(peers)
	slices.SortFunc(all, func(a, b Peer) int { // the busiest stay if there are too many
		return cmp.Or(cmp.Compare(boolPart(b.Publisher), boolPart(a.Publisher)), cmp.Compare(b.Down+b.Up, a.Down+a.Up), cmp.Compare(a.ID, b.ID))
	})
	all = all[:min(len(all), peersDrawn)]
	slices.SortFunc(all, func(a, b Peer) int { return cmp.Compare(a.ID, b.ID) })
	placed := make([]placedPeer, len(all))
	for i, p := range all {
		far := 0.5 // not measured
		if p.RTT > 0 {
			rtt := min(peerFar, max(peerNear, p.RTT))
			far = math.Log(float64(rtt)/float64(peerNear)) / math.Log(float64(peerFar)/float64(peerNear))
		}
		placed[i] = placedPeer{p, 2*math.Pi*float64(i)/float64(len(all)) - math.Pi/2, far}
	}
	return placed
}

// thickness is how thick a line of a rate is, in Fyne's units: it doubles as the
// rate grows eightfold.
func thickness(r budget.Rate) float32 {
	if r <= 0 {
		return 0
	}
	return float32(min(9, max(1.2, 2.2*math.Cbrt(float64(r)/1e6))))
}

// drawPeers draws this machine in the middle and the others around it.
func (v *detailsView) drawPeers(d *drawing, p *pen, scale float32) {
	if v.model == nil || v.model.Details == nil {
		return
	}
	w, h := float32(p.img.Rect.Dx()), float32(p.img.Rect.Dy())
	mid := dot2{w / 2, h / 2}
	most := min(w, h)/2 - 14*scale
	least := 0.42 * most
	quiet := colour(d, theme.ColorNameSeparator)
	for _, r := range []float32{least, (least + most) / 2, most} {
		p.ring(mid, r, scale, faint(quiet, 0xa0))
	}
	for _, q := range placePeers(v.model.Details.Peers) {
		sin, cos := math.Sincos(q.angle)
		r := least + float32(q.far)*(most-least)
		at := dot2{mid.x + r*float32(cos), mid.y + r*float32(sin)}
		v.drawPeer(d, p, scale, mid, at, q)
	}
	p.disc(mid, 17*scale, colour(d, theme.ColorNameOverlayBackground))
	p.disc(mid, 14*scale, colour(d, theme.ColorNamePrimary))
	ink := colour(d, theme.ColorNameForegroundOnPrimary)
	p.area([]dot2{ // a play sign: here it is watched
		{mid.x - 4*scale, mid.y - 6*scale}, {mid.x + 7*scale, mid.y}, {mid.x - 4*scale, mid.y + 6*scale},
	}, ink)
}

func (v *detailsView) drawPeer(d *drawing, p *pen, scale float32, mid, at dot2, q placedPeer) {
	down, up := thickness(q.Down)*scale, thickness(q.Up)*scale
	if down == 0 && up == 0 {
		p.line([]dot2{mid, at}, scale, faint(colour(d, theme.ColorNamePlaceHolder), 0x60))
	}
	// What comes and what goes lie side by side.
	dx, dy := at.x-mid.x, at.y-mid.y
	n := max(1, float32(math.Hypot(float64(dx), float64(dy))))
	side := func(by float32) (dot2, dot2) {
		ox, oy := -dy/n*by, dx/n*by
		return dot2{mid.x + ox, mid.y + oy}, dot2{at.x + ox, at.y + oy}
	}
	if down > 0 {
		a, b := side(up / 2)
		p.line([]dot2{a, b}, down, faint(colour(d, colourPeers), 0xd8))
	}
	if up > 0 {
		a, b := side(-down / 2)
		p.line([]dot2{a, b}, up, faint(colour(d, colourUpload), 0xd8))
	}
	size, ink := 6*scale, fyne.ThemeColorName(theme.ColorNameForeground)
	if q.Publisher {
		size, ink = 9*scale, colourOrigin
		p.ring(at, size+4*scale, 2*scale, colour(d, colourOrigin))
	}
	p.disc(at, size+2*scale, colour(d, theme.ColorNameOverlayBackground))
	p.disc(at, size, colour(d, ink))
}
