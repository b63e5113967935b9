package nodetest

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The model player reads playlists with a parser of its own, so that it does not
// share the mistakes of the code under test.

// media is a media playlist as the player understands it.
type media struct {
	target time.Duration
	ended  bool
	segs   []mediaSegment
}

type mediaSegment struct {
	seq           uint64
	url           string
	off, length   int64 // length 0: all
	duration      time.Duration
	pdt           time.Time
	discontinuity bool
	mapURL        string
	keyURL        string
	iv            [16]byte
}

// streams is a multivariant playlist: for each variant its URL and the names of
// its groups; for each group the URLs of its renditions.
type streams struct {
	variants []map[string]string // attributes, and "URI"
	groups   map[string][]string // TYPE/GROUP-ID
}

func isMultivariant(body string) bool { return strings.Contains(body, "#EXT-X-STREAM-INF") }

func parseStreams(base *url.URL, body string) (streams, error) {
	s := streams{groups: make(map[string][]string)}
	if !strings.HasPrefix(body, "#EXTM3U") {
		return s, fmt.Errorf("not a playlist: %.40q", body)
	}
	var inf map[string]string
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		k, v, _ := strings.Cut(line, ":")
		switch {
		case line == "":
		case k == "#EXT-X-STREAM-INF":
			inf = attributes(v)
		case k == "#EXT-X-MEDIA":
			a := attributes(v)
			if a["URI"] == "" {
				continue
			}
			u, err := base.Parse(a["URI"])
			if err != nil {
				return s, err
			}
			g := a["TYPE"] + "/" + a["GROUP-ID"]
			s.groups[g] = append(s.groups[g], u.String())
		case line[0] == '#':
		case inf != nil:
			u, err := base.Parse(line)
			if err != nil {
				return s, err
			}
			inf["URI"] = u.String()
			s.variants = append(s.variants, inf)
			inf = nil
		}
	}
	if len(s.variants) == 0 {
		return s, fmt.Errorf("no variant in playlist")
	}
	return s, nil
}

func parseMedia(base *url.URL, body string) (media, error) {
	var m media
	if !strings.HasPrefix(body, "#EXTM3U") {
		return m, fmt.Errorf("not a playlist: %.40q", body)
	}
	var (
		seq      uint64
		s        mediaSegment
		explicit bool
		mapURL   string
		keyURL   string
		iv       [16]byte
		end      int64 // of the previous byte range
		err      error
	)
	resolve := func(ref string) string {
		u, e := base.Parse(ref)
		if e != nil {
			err = e
			return ""
		}
		return u.String()
	}
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		k, v, _ := strings.Cut(line, ":")
		switch {
		case line == "":
		case k == "#EXT-X-TARGETDURATION":
			m.target = seconds(v)
		case k == "#EXT-X-MEDIA-SEQUENCE":
			seq, err = strconv.ParseUint(v, 10, 64)
		case k == "#EXT-X-ENDLIST":
			m.ended = true
		case k == "#EXTINF":
			d, _, _ := strings.Cut(v, ",")
			s.duration = seconds(d)
		case k == "#EXT-X-DISCONTINUITY":
			s.discontinuity = true
		case k == "#EXT-X-PROGRAM-DATE-TIME":
			s.pdt, err = time.Parse(time.RFC3339Nano, v)
		case k == "#EXT-X-BYTERANGE":
			n, off, ok := strings.Cut(v, "@")
			s.length, err = strconv.ParseInt(n, 10, 64)
			s.off = end
			if ok && err == nil {
				s.off, err = strconv.ParseInt(off, 10, 64)
			}
			end = s.off + s.length
		case k == "#EXT-X-MAP":
			mapURL = resolve(attributes(v)["URI"])
		case k == "#EXT-X-KEY":
			a := attributes(v)
			keyURL, explicit = "", false
			if a["METHOD"] == "NONE" {
				break
			}
			keyURL = resolve(a["URI"])
			if raw, e := hex.DecodeString(strings.TrimPrefix(strings.ToLower(a["IV"]), "0x")); e == nil && len(raw) == 16 {
				explicit, iv = true, [16]byte(raw)
			}
		case line[0] == '#':
		default:
			s.seq, s.url, s.mapURL, s.keyURL, s.iv = seq, resolve(line), mapURL, keyURL, iv
			if !explicit {
				s.iv = sequenceIV(seq)
			}
			m.segs = append(m.segs, s)
			next := s.pdt
			if !next.IsZero() {
				next = next.Add(s.duration)
			}
			seq++
			s = mediaSegment{pdt: next}
		}
		if err != nil {
			return m, fmt.Errorf("playlist line %.60q: %w", line, err)
		}
	}
	return m, nil
}

func seconds(s string) time.Duration {
	f, _ := strconv.ParseFloat(s, 64)
	return time.Duration(f * float64(time.Second))
}

// attributes parses an attribute list.
func attributes(s string) map[string]string {
	m := make(map[string]string)
	for s != "" {
		var k, v string
		k, s, _ = strings.Cut(s, "=")
		if strings.HasPrefix(s, `"`) {
			v, s, _ = strings.Cut(s[1:], `"`)
			s = strings.TrimPrefix(s, ",")
		} else {
			v, s, _ = strings.Cut(s, ",")
		}
		m[strings.TrimSpace(k)] = v
	}
	return m
}
