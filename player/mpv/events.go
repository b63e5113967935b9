package mpv

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"coral/player"
)

// errEnd is the cause of a failure that mpv calls an end.
var errEnd = errors.New("play stream: it ended without an end")

// errUnready is said of a core that ended by itself.
var errUnready = errors.New("play stream: libmpv has shut down")

// events takes mpv's events until there is none; false: mpv has shut down.
func (l *loop) events() bool {
	for {
		e := l.lib.waitEvent(l.core, 0)
		switch e.id {
		case eventNone:
			return true
		case eventShutdown:
			l.fail(errUnready)
			return false
		case eventStartFile:
			l.starting = false
			l.render.arm()
		case eventFileLoaded:
			if l.stage == opening && !l.starting {
				l.loaded()
			}
		case eventPlaybackRestart:
			if !l.starting {
				l.restarted()
			}
		case eventEndFile:
			l.endFile((*eventEnd)(e.data))
		case eventProperty:
			if p := (*eventProp)(e.data); p.format == formatString {
				l.observed(text(p.name), text(*(**byte)(p.data)))
			} else {
				l.observed(text(p.name), "")
			}
		case eventLog:
			m := (*eventLogMessage)(e.data)
			l.heard(text(m.prefix), text(m.text))
		case eventOverflow:
			l.log.Warn("events of mpv were lost")
		}
	}
}

func (l *loop) endFile(e *eventEnd) {
	if l.starting || l.stage != opening && l.stage != playing {
		return // of what was replaced
	}
	switch e.reason {
	case endEOF:
		l.broke(errEnd)
	case endError:
		l.broke(errors.New("play stream: " + l.lib.errorString(e.err)))
	}
}

// track is one of the property track-list.
type track struct {
	ID       int     `json:"id"`
	Type     string  `json:"type"`
	Title    string  `json:"title"`
	Language string  `json:"lang"`
	Selected bool    `json:"selected"`
	Codec    string  `json:"codec"`
	FPS      float64 `json:"demux-fps"`
}

// videoParams is the property of that name: the picture as it is to be shown.
type videoParams struct {
	Width  int `json:"dw"`
	Height int `json:"dh"`
	Lines  int `json:"h"`
	Rotate int `json:"rotate"`
}

// observed takes a new value of an observed property; "": there is none now.
func (l *loop) observed(name, value string) {
	s := &l.state
	switch name {
	case "paused-for-cache":
		l.setBuffering(value == "yes")
	case "video-params":
		var v videoParams
		if json.Unmarshal([]byte(value), &v) != nil || v.Width <= 0 || v.Height <= 0 {
			return // between two streams: the last picture stands
		}
		if v.Rotate%180 != 0 {
			v.Width, v.Height = v.Height, v.Width
		}
		s.Width, s.Height = v.Width, v.Height
		l.frames.setSource(v.Width, v.Height)
	case "track-list":
		var all []track
		if json.Unmarshal([]byte(value), &all) != nil || len(all) == 0 {
			return
		}
		s.Audio = nil
		for _, t := range all {
			switch {
			case t.Type == "audio":
				s.Audio = append(s.Audio, player.Track{ID: t.ID, Title: t.Title, Language: t.Language, Selected: t.Selected})
			case t.Type == "video" && t.Selected && t.FPS > 0:
				s.FPS = t.FPS
			}
		}
	case "video-format":
		codec, how, _ := strings.Cut(s.Decoder, " ")
		if value != "" && value != codec {
			s.Decoder = strings.TrimSpace(value + " " + how)
		}
	case "hwdec-current":
		s.Decoder, _, _ = strings.Cut(s.Decoder, " ")
		if value != "" && value != "no" {
			s.Decoder = strings.TrimSpace(s.Decoder + " (" + strings.TrimSuffix(value, "-copy") + ")")
		}
	}
}

// settle is how long after a seek standing still is no stall.
const settle = 2 * time.Second

func (l *loop) setBuffering(on bool) {
	on = on && l.stage == playing
	if on == l.buffering {
		return
	}
	l.buffering, l.bufferingAt = on, time.Now()
	l.moved = l.bufferingAt
	if on && l.bufferingAt.Sub(l.soughtAt) > settle && l.bufferingAt.Sub(l.openedAt) > settle {
		l.edge.Stalled(l.bufferingAt)
	}
}

// mark is a discontinuity: from at on, mpv has made the time stamps go on, and
// those of the stream are smaller by offset; by step more than before.
type mark struct{ at, step, offset time.Duration }

// together is how near the discontinuities of audio and video are: they end and
// begin apart by a picture or two, and mpv tells of each.
const together = 2 * time.Second

// maxMarks bounds what is remembered of a broken stream.
const maxMarks = 1 << 10

var (
	linearized = regexp.MustCompile(`^Linearizing discontinuity: (-?[0-9.]+) -> (-?[0-9.]+)`)
	urls       = regexp.MustCompile(`[a-z]+://[^\s'"]+`)
)

// heard takes a line of mpv's log.
func (l *loop) heard(prefix, line string) {
	line = strings.TrimSpace(line)
	if m := linearized.FindStringSubmatch(line); m != nil {
		from, err1 := strconv.ParseFloat(m[1], 64)
		to, err2 := strconv.ParseFloat(m[2], 64)
		if err1 == nil && err2 == nil && len(l.marks) < maxMarks {
			l.marks = addMark(l.marks, fromSeconds(from), fromSeconds(to))
		}
	}
	// The path of a URL is a secret, and many are a viewer's private matter.
	l.log.Debug("mpv says", "part", prefix, "text", urls.ReplaceAllString(line, "URL"))
}

// addMark notes that what would have been at from, had all discontinuities so
// far been the only ones, is at to.
func addMark(marks []mark, from, to time.Duration) []mark {
	step := to - from
	offset := step
	if n := len(marks); n > 0 {
		last := marks[n-1]
		if (to-last.at).Abs() < together && (step-last.step).Abs() < together {
			return marks // the other stream's
		}
		offset += last.offset
	}
	return append(marks, mark{at: to, step: step, offset: offset})
}

// original is the time stamp that the stream has for what mpv calls at.
func original(marks []mark, at time.Duration) time.Duration {
	for i := len(marks) - 1; i >= 0; i-- {
		if at >= marks[i].at {
			return at - marks[i].offset
		}
	}
	return at
}
