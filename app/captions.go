package app

import (
	"context"
	"strings"
	"time"

	"coral/app/settings"
	"coral/node"
	"coral/node/channel"
)

// captions are the subtitles of the channel that plays, drawn by the window so
// that they work on live channels, whose renditions libmpv cannot read.
type captions struct {
	id      int // the rendition; -1: off
	decided bool
	cancel  context.CancelFunc
	cues    []node.Caption
}

// captionsBehind is from how far back subtitles are read: who goes back further
// waits for those that come.
const captionsBehind = 2 * time.Minute

// maxCues is how many are remembered: two hours of dense dialogue.
const maxCues = 8192

func (c *captions) stop() {
	if c.cancel != nil {
		c.cancel()
	}
	c.cancel, c.cues, c.id = nil, nil, -1
}

// wantCaptions shows the language that was chosen last, once it is known what
// the channel has.
func (a *app) wantCaptions(w *watching) {
	if w.captions.decided || len(w.renditions) == 0 {
		return
	}
	w.captions.decided = true
	w.captions.id = -1
	lang := a.settings.Get().Captions
	for _, r := range w.renditions {
		if r.Kind == channel.Subtitles && lang != "" && sameLanguage(r.Language, lang) {
			a.showCaptions(w, r.ID)
			return
		}
	}
}

func sameLanguage(a, b string) bool {
	a, _, _ = strings.Cut(strings.ToLower(a), "-")
	b, _, _ = strings.Cut(strings.ToLower(b), "-")
	return a != "" && a == b
}

// chooseSubtitle is the user's choice; it is remembered as a language.
func (a *app) chooseSubtitle(id int) {
	w := a.watching
	if w == nil || w.open == nil {
		return
	}
	language := ""
	for _, r := range w.renditions {
		if r.ID == id && r.Kind == channel.Subtitles {
			language = r.Language
		}
	}
	a.remember(func(s *settings.Settings) { s.Captions = language })
	w.captions.decided = true
	a.showCaptions(w, id)
}

func (a *app) showCaptions(w *watching, id int) {
	w.captions.stop()
	w.captions.id = id
	if id < 0 {
		return
	}
	ctx, cancel := context.WithCancel(a.ctx)
	w.captions.cancel = cancel
	session := w.open.session
	a.work.Go(func() {
		err := session.Captions(ctx, id, captionsBehind, func(cues []node.Caption) {
			a.queue.post(func() {
				if ctx.Err() == nil {
					c := &w.captions
					c.cues = append(c.cues, cues...)
					c.cues = c.cues[max(0, len(c.cues)-maxCues):]
				}
			})
		})
		if err != nil && ctx.Err() == nil {
			a.log.Warn("captions", "err", err)
		}
	})
}

// at returns the text for a presentation time.
func (c *captions) at(pts time.Duration) string {
	var lines []string
	for i := range c.cues {
		if q := &c.cues[i]; q.At(pts) {
			lines = append(lines, q.Text)
		}
	}
	return strings.Join(lines, "\n")
}
