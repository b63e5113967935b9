package node

import (
	"context"
	"sync/atomic"
	"time"

	"coral/node/proxy"
)

// ShareState says for the web player's page whether a session shares, and if
// not, why.
type ShareState string

// The states.
const (
	ShareOn        ShareState = "on"
	ShareUnasked   ShareState = "unasked"
	ShareWatchOnly ShareState = "watch-only"
	SharePaused    ShareState = "paused"
	ShareMetered   ShareState = "metered"
	ShareBattery   ShareState = "battery"
	ShareSchedule  ShareState = "schedule"
	ShareBudget    ShareState = "budget"
	shareUntold    ShareState = "off"
)

// panel is what the web player's page shows of a session, and its button.
type panel struct {
	s    *Session
	told atomic.Pointer[ShareState]
}

// SetShareState tells the web player's page why sharing is as it is: only who
// switches it knows. It switches nothing.
func (s *Session) SetShareState(st ShareState) { s.panel.told.Store(&st) }

// WebURL is the web player's page; "" if there is none. It holds a token: do not
// log it.
func (s *Session) WebURL() string {
	if s.mount == nil {
		return ""
	}
	return s.mount.PageURL()
}

// page is what is mounted for s, or nil.
func (n *Node) page(s *Session) *proxy.Page {
	s.panel.s = s
	if n.cfg.Web == nil {
		return nil
	}
	return &proxy.Page{Files: n.cfg.Web, Panel: &s.panel}
}

var verifiedWords = map[Verified]string{NothingShown: "not yet", AllVerified: "yes", NotVerified: "no", NobodySigns: "unsigned"}

// Status implements proxy.Panel.
func (p *panel) Status(ctx context.Context) (st proxy.Status, err error) {
	s := p.s
	if err := ctx.Err(); err != nil {
		return st, err
	}
	pic := s.Picture()
	st.Channel, st.Verified = s.Name(), verifiedWords[pic.Verified]
	st.FromPeers, st.FromOrigin, st.FromCache, st.Givers = pic.FromPeers, pic.FromOrigin, pic.FromCache, pic.Givers
	st.Back = pic.Back.Milliseconds()
	up, _ := s.node.meter.Caps()
	st.UploadCap = int64(up)
	shares := false
	err = s.do(ctx, func() {
		shares = s.swarm != nil
		st.Sent, _, _ = s.wire()
		st.At = time.Since(s.begun).Milliseconds()
	})
	st.Sharing = string(p.state(shares))
	return st, err
}

// state is what was told, or what can be seen from here.
func (p *panel) state(shares bool) ShareState {
	if told := p.told.Load(); told != nil {
		return *told
	}
	cfg := &p.s.node.cfg
	switch {
	case shares:
		return ShareOn
	case cfg.Paused != nil:
		return shareUntold // it is another's to say
	case !cfg.Share || cfg.Upload == 0:
		return ShareWatchOnly
	case p.s.node.paused.Load():
		return SharePaused
	}
	return shareUntold
}

// PauseSharing implements proxy.Panel.
func (p *panel) PauseSharing(paused bool) {
	n := p.s.node
	switch {
	case n.cfg.Paused != nil:
		n.cfg.Paused(paused)
	case n.cfg.Share && n.paused.Swap(paused) != paused:
		n.SetSharing(!paused)
	}
}
