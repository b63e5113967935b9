package proxy

import (
	"strconv"
	"strings"

	"coral/store/segment"
)

// what a path below /TOKEN/play/ asks for.
type what uint8

const (
	whatMaster what = iota + 1
	whatMedia
	whatObject // segment or init section
	whatKey
	whatPlayer
	whatHistory
	whatShown
	whatLive
	whatVariants
	whatRewind
	whatAuto
)

const (
	masterName   = "master.m3u8"
	variantsName = "variants.m3u8"
	rewindName   = "rewind.m3u8"
	autoName     = "auto.m3u8"
)

// route is a parsed path: numbers only, so that nothing in a request can name a
// file, a host or a URL.
type route struct {
	what      what
	rendition uint16
	player    uint32     // who was given this media playlist's URL
	view      uint32     // whatPlayer, whatHistory, whatShown, whatLive: which viewing
	id        segment.ID // whatObject
	ext       string     // whatObject
	guessed   bool       // whatObject: ext is a fallback
	key       int        // whatKey
}

// path is the inverse of parseRoute.
func (r route) path() string {
	rendition := strconv.Itoa(int(r.rendition))
	switch r.what {
	case whatMaster:
		return masterName
	case whatMedia:
		return rendition + "-p" + strconv.FormatUint(uint64(r.player), 10) + ".m3u8"
	case whatVariants:
		return variantsName
	case whatRewind:
		return rewindName
	case whatAuto:
		return autoName
	case whatPlayer:
		return "player-" + decimal(r.view) + ".m3u8"
	case whatHistory:
		return rendition + "-h" + decimal(r.player) + "-" + decimal(r.view) + ".m3u8"
	case whatShown:
		return "shown-" + decimal(r.player) + "-" + decimal(r.view) + ".m3u8"
	case whatLive:
		return "live-" + decimal(r.player) + "-" + decimal(r.view) + ".m3u8"
	case whatObject:
		p := rendition + "/"
		if r.id.Kind == segment.Init {
			p += "i"
		}
		p += strconv.FormatUint(r.id.Sequence, 10)
		if r.guessed {
			p += "-x"
		}
		return p + r.ext
	case whatKey:
		return rendition + "/k" + strconv.Itoa(r.key) + ".key"
	}
	return ""
}

// objectRoute is the route of id, whose origin knows it as uri.
func objectRoute(id segment.ID, uri, fallback string) route {
	ext, known := extension(uri, fallback)
	return route{what: whatObject, rendition: id.Rendition, id: id, ext: ext, guessed: !known}
}

// parseRoute parses a path below /TOKEN/play/. Each thing has exactly one path.
func parseRoute(p string) (route, bool) {
	const longest = 64 // two numbers and an extension; nothing of ours is longer
	if len(p) > longest {
		return route{}, false
	}
	switch p {
	case masterName:
		return route{what: whatMaster}, true
	case variantsName:
		return route{what: whatVariants}, true
	case rewindName:
		return route{what: whatRewind}, true
	case autoName:
		return route{what: whatAuto}, true
	}
	dir, name, ok := strings.Cut(p, "/")
	if !ok {
		return parseMediaName(p)
	}
	rendition, ok := number(dir, 16)
	if !ok {
		return route{}, false
	}
	dot := strings.IndexByte(name, '.')
	if dot < 0 {
		return route{}, false
	}
	r := route{what: whatObject, rendition: uint16(rendition), ext: name[dot:]}
	name = name[:dot]
	if digits, ok := strings.CutPrefix(name, "k"); ok {
		n, ok := number(digits, 31)
		return route{what: whatKey, rendition: r.rendition, key: int(n)}, ok && r.ext == ".key"
	}
	if _, ok := mediaTypes[r.ext]; !ok {
		return route{}, false
	}
	r.id.Rendition = r.rendition
	name, r.guessed = strings.CutSuffix(name, "-x")
	if digits, ok := strings.CutPrefix(name, "i"); ok {
		name, r.id.Kind = digits, segment.Init
	}
	if r.id.Sequence, ok = number(name, 64); !ok {
		return route{}, false
	}
	return r, true
}

func parseMediaName(p string) (route, bool) {
	p, ok := strings.CutSuffix(p, ".m3u8")
	if !ok {
		return route{}, false
	}
	if s, ok := strings.CutPrefix(p, "player-"); ok {
		view, ok := number(s, 32)
		return route{what: whatPlayer, view: uint32(view)}, ok
	}
	for prefix, what := range map[string]what{"shown-": whatShown, "live-": whatLive} {
		if s, ok := strings.CutPrefix(p, prefix); ok {
			left, right, _ := strings.Cut(s, "-")
			player, okP := number(left, 32)
			view, okV := number(right, 32)
			return route{what: what, player: uint32(player), view: uint32(view)}, okP && okV && view != 0
		}
	}
	if left, right, ok := strings.Cut(p, "-h"); ok {
		right, s, ok := strings.Cut(right, "-")
		rendition, okR := number(left, 16)
		player, okP := number(right, 32)
		view, okV := number(s, 32)
		return route{what: whatHistory, rendition: uint16(rendition), player: uint32(player), view: uint32(view)}, ok && okR && okP && okV
	}
	left, right, ok := strings.Cut(p, "-p")
	rendition, okR := number(left, 16)
	player, okP := number(right, 32)
	return route{what: whatMedia, rendition: uint16(rendition), player: uint32(player)}, ok && okR && okP
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// number parses a decimal number written the one way that strconv writes it.
func number(s string, bits int) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, bits)
	return n, err == nil && (s[0] != '0' || len(s) == 1)
}
