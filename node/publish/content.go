package publish

import (
	"bytes"
	"encoding/binary"
)

// What a segment's bytes can tell of whether they are all there. It is a hint:
// bytes that look wrong are read again, and believed if they stay the same.

const tsPacket = 188 // bytes (ISO/IEC 13818-1)

// cutOff reports whether data looks as if its end were missing. encrypted says
// that it is AES-128 in CBC mode, of whole blocks.
func cutOff(data []byte, encrypted bool) bool {
	switch {
	case len(data) == 0:
		return true
	case encrypted:
		return len(data)%16 != 0
	case data[0] == 0x47 && len(data) >= 4:
		return len(data)%tsPacket != 0 || data[len(data)-tsPacket] != 0x47
	case isBox(data):
		return !wholeBoxes(data)
	}
	return false
}

// isBox reports whether data begins as a fragmented MP4 does.
func isBox(data []byte) bool {
	if len(data) < 8 {
		return false
	}
	switch string(data[4:8]) {
	case "ftyp", "styp", "sidx", "moof", "moov", "emsg", "prft", "free", "skip", "uuid", "mdat", "ssix":
		return true
	}
	return false
}

// wholeBoxes walks the top-level boxes (ISO/IEC 14496-12 section 4.2).
func wholeBoxes(data []byte) bool {
	for len(data) > 0 {
		if len(data) < 8 {
			return false
		}
		size, header := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		switch size {
		case 0: // to the end of the file
			return true
		case 1:
			if len(data) < 16 {
				return false
			}
			size, header = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size < header || size > uint64(len(data)) {
			return false
		}
		data = data[size:]
	}
	return true
}

// foreign reports whether data is what servers send in a segment's place: an
// error page, or a playlist.
func foreign(data []byte) bool {
	head := bytes.ToLower(bytes.TrimLeft(data[:min(len(data), 64)], "\xef\xbb\xbf \t\r\n"))
	for _, p := range []string{"<!doctype html", "<html", "#extm3u"} {
		if bytes.HasPrefix(head, []byte(p)) {
			return true
		}
	}
	return false
}
