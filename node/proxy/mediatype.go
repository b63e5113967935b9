package proxy

import (
	"bytes"
	"mime"
	"path"
	"strings"
)

const (
	typePlaylist = "application/vnd.apple.mpegurl" // RFC 8216bis 4
	typeKey      = "application/octet-stream"
)

// mediaTypes are the extensions a segment may be given here, with what is sent
// for them. It is also the list of types that an origin may choose from: one
// that could make a browser run something (text/html, image/svg+xml) never gets
// through. Every extension is in the list that FFmpeg's HLS demuxer allows.
var mediaTypes = map[string]string{
	".ts":     "video/mp2t",
	".m4s":    "video/mp4",
	".mp4":    "video/mp4",
	".m4v":    "video/mp4",
	".cmfv":   "video/mp4",
	".m4a":    "audio/mp4",
	".cmfa":   "audio/mp4",
	".aac":    "audio/aac",
	".ac3":    "audio/ac3",
	".ec3":    "audio/eac3",
	".mp3":    "audio/mpeg",
	".vtt":    "text/vtt; charset=utf-8",
	".webvtt": "text/vtt; charset=utf-8",
}

var allowedTypes = func() map[string]string {
	m := make(map[string]string)
	for _, t := range mediaTypes {
		bare, _, _ := strings.Cut(t, ";")
		m[bare] = t
	}
	m["video/iso.segment"] = "video/iso.segment"
	m["audio/x-aac"] = "audio/aac"
	m["audio/aacp"] = "audio/aac"
	return m
}()

// extension returns the extension of an origin's URI and whether it is one that
// says what the bytes are; if not, fallback. Query and fragment do not count.
func extension(uri, fallback string) (ext string, known bool) {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	ext = strings.ToLower(path.Ext(uri))
	if _, ok := mediaTypes[ext]; ok {
		return ext, true
	}
	return fallback, false
}

// contentType decides what a segment is called. ext is what its URL ends in;
// guessed says that the origin's URI told nothing and ext is only a fallback, in
// which case the origin's word, then the first bytes, go before it.
func contentType(ext string, guessed bool, said string, head []byte) string {
	if guessed {
		if t, _, err := mime.ParseMediaType(said); err == nil {
			if t, ok := allowedTypes[t]; ok {
				return t
			}
		}
		if t := sniff(head); t != "" {
			return t
		}
	}
	if t, ok := mediaTypes[ext]; ok {
		return t
	}
	return typeKey
}

// sniff recognises the formats that RFC 8216bis 3.1 allows by their first bytes,
// or returns "". It does not try to tell audio-only TS or MP4 from video.
func sniff(b []byte) string {
	const tsPacket = 188
	switch {
	case len(b) > 0 && b[0] == 0x47 && (len(b) <= tsPacket || b[tsPacket] == 0x47):
		return mediaTypes[".ts"]
	case len(b) >= 8 && isBox(b[4:8]):
		return mediaTypes[".mp4"]
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	switch {
	case bytes.HasPrefix(b, []byte("WEBVTT")):
		return mediaTypes[".vtt"]
	case bytes.HasPrefix(b, []byte("ID3")): // packed audio begins with a timestamp tag (3.1.4): look behind it
		if rest := skipID3(b); rest != nil {
			return sniff(rest)
		}
		return mediaTypes[".aac"]
	case len(b) >= 2 && b[0] == 0xff && b[1]&0xf6 == 0xf0: // ADTS: 12 sync bits, layer 0
		return mediaTypes[".aac"]
	case len(b) >= 2 && b[0] == 0xff && b[1]&0xe0 == 0xe0 && b[1]&0x06 != 0: // MPEG audio, layer I–III
		return mediaTypes[".mp3"]
	case len(b) >= 6 && b[0] == 0x0b && b[1] == 0x77: // AC-3 up to bsid 10, above it E-AC-3
		if b[5]>>3 > 10 {
			return mediaTypes[".ec3"]
		}
		return mediaTypes[".ac3"]
	}
	return ""
}

func isBox(name []byte) bool {
	switch string(name) {
	case "ftyp", "styp", "moov", "moof", "sidx", "emsg", "prft", "free":
		return true
	}
	return false
}

// skipID3 returns what follows an ID3v2 tag, or nil if that is not in b.
func skipID3(b []byte) []byte {
	const header = 10
	if len(b) < header {
		return nil
	}
	size := int(b[6]&0x7f)<<21 | int(b[7]&0x7f)<<14 | int(b[8]&0x7f)<<7 | int(b[9]&0x7f)
	if size += header; size < len(b) {
		return b[size:]
	}
	return nil
}
