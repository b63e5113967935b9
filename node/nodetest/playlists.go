package nodetest

import (
	"fmt"
	"strings"
	"time"
)

// master writes the multivariant playlist.
func (o *Origin) master() string {
	var b strings.Builder
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n")
	groups := ""
	rendition := len(o.cfg.Bitrates)
	media := func(kind, group string, languages []string) {
		if len(languages) > 0 {
			groups += fmt.Sprintf(",%s=%q", kind, group)
		}
		for i, lang := range languages {
			def := "NO"
			if i == 0 && kind == "AUDIO" {
				def = "YES"
			}
			fmt.Fprintf(&b, "#EXT-X-MEDIA:TYPE=%s,GROUP-ID=%q,NAME=%q,LANGUAGE=%q,DEFAULT=%s,AUTOSELECT=YES,URI=\"%d/index.m3u8\"\n",
				kind, group, strings.ToUpper(lang), lang, def, rendition)
			rendition++
		}
	}
	media("AUDIO", "aud", o.cfg.Audio)
	media("SUBTITLES", "sub", o.cfg.Subtitles)
	for v, rate := range o.cfg.Bitrates {
		fmt.Fprintf(&b, "#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,RESOLUTION=%dx%d,CODECS=\"avc1.4d401f,mp4a.40.2\",FRAME-RATE=25.000%s\n%d/index.m3u8\n",
			rate*12/10, rate, 320*(v+1), 180*(v+1), groups, v)
	}
	return b.String()
}

// media writes a rendition's media playlist, or returns nil before the first
// segment is whole.
func (o *Origin) media(rendition int) []byte {
	o.mu.Lock()
	now := time.Now()
	if o.faults.Stale {
		now = o.staleAt
	}
	e, last, ok := o.at(now)
	o.mu.Unlock()
	if !ok {
		return nil
	}
	first := e.first
	if o.cfg.Type == Live && last-first >= uint64(o.cfg.Window) {
		first = last - uint64(o.cfg.Window) + 1
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n",
		int(o.cfg.Segment.Seconds()+0.999), first)
	every := uint64(o.cfg.DiscontinuityEvery)
	if every > 0 && first > 0 {
		// All discontinuities before the first segment of the window; one at the
		// window's beginning is still in the playlist.
		fmt.Fprintf(&b, "#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", (first-1)/every)
	}
	if o.cfg.LowLatency {
		part := o.cfg.Segment.Seconds() / parts
		fmt.Fprintf(&b, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=%.3f,CAN-SKIP-UNTIL=%.3f,HOLD-BACK=%.3f\n#EXT-X-PART-INF:PART-TARGET=%.3f\n",
			3*part, 6*o.cfg.Segment.Seconds(), lowLatencyHoldBack.Seconds(), part)
	}
	switch o.cfg.Type {
	case Event:
		b.WriteString("#EXT-X-PLAYLIST-TYPE:EVENT\n")
	case VOD:
		b.WriteString("#EXT-X-PLAYLIST-TYPE:VOD\n")
	}
	var key, init uint64
	for seq := first; seq <= last; seq++ {
		id := Ident{Epoch: e.n, Rendition: rendition, Sequence: seq}
		if every > 0 && seq > 0 && seq%every == 0 {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		if n := o.initOf(seq); o.format(rendition) == FMP4 && (seq == first || n != init) {
			init = n
			fmt.Fprintf(&b, "#EXT-X-MAP:URI=\"init%d.mp4\"\n", n)
		}
		if o.encrypts(id) {
			if n := o.keyOf(seq); seq == first || n != key || o.cfg.ExplicitIV {
				key = n
				fmt.Fprintf(&b, "#EXT-X-KEY:METHOD=AES-128,URI=\"key%d.key\"", n)
				if o.cfg.ExplicitIV {
					fmt.Fprintf(&b, ",IV=0x%x", o.iv(seq))
				}
				b.WriteByte('\n')
			}
		}
		if !o.cfg.NoDateTime {
			at := e.start.Add(time.Duration(seq-e.first) * o.cfg.Segment)
			fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n", at.UTC().Format("2006-01-02T15:04:05.000Z"))
		}
		if o.cfg.LowLatency && seq+2 > last {
			o.parts(&b, seq, rendition, parts)
		}
		fmt.Fprintf(&b, "#EXTINF:%.3f,\n", o.cfg.Segment.Seconds())
		if n := uint64(o.cfg.Ranged); n > 0 {
			fmt.Fprintf(&b, "#EXT-X-BYTERANGE:%d@%d\nfile%d%s\n", o.size(id), o.offset(id), seq/n, o.ext(rendition))
		} else {
			fmt.Fprintf(&b, "%d%s\n", seq, o.ext(rendition))
		}
	}
	if o.cfg.Length > 0 && last == e.first+o.cfg.Length-1 {
		b.WriteString("#EXT-X-ENDLIST\n")
	} else if o.cfg.LowLatency {
		o.parts(&b, last+1, rendition, parts/2)
		fmt.Fprintf(&b, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"%d.part%d%s\"\n", last+1, parts/2, o.ext(rendition))
		fmt.Fprintf(&b, "#EXT-X-RENDITION-REPORT:URI=\"../%d/index.m3u8\",LAST-MSN=%d,LAST-PART=%d\n", rendition, last+1, parts/2-1)
	}
	return []byte(b.String())
}

const (
	// parts is how many there are of a segment.
	parts = 4
	// lowLatencyHoldBack is what a low-latency playlist asks of players that do not
	// know parts.
	lowLatencyHoldBack = 12 * time.Second
)

// parts lists the first n parts of a segment.
func (o *Origin) parts(b *strings.Builder, seq uint64, rendition, n int) {
	for i := range n {
		fmt.Fprintf(b, "#EXT-X-PART:DURATION=%.3f,URI=\"%d.part%d%s\",INDEPENDENT=YES\n", o.cfg.Segment.Seconds()/parts, seq, i, o.ext(rendition))
	}
}
