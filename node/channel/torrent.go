package channel

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"

	"coral/store/segment"
)

// Torrent returns a .torrent file of the channel, for programs that take no
// magnet links. A private channel's holds its secret, as its link does.
func (l *Link) Torrent() ([]byte, error) {
	if l.Descriptor == nil {
		return nil, errors.New("make torrent: the link does not describe its channel")
	}
	if err := l.Descriptor.Check(); err != nil {
		return nil, fmt.Errorf("make torrent: %w", err)
	}
	b := []byte{'d'}
	trackers, peers := l.Trackers[:min(len(l.Trackers), MaxTrackers)], l.Peers[:min(len(l.Peers), MaxPeers)]
	if len(trackers) > 0 {
		b = appendText(appendText(b, "announce"), trackers[0])
		b = append(appendText(b, "announce-list"), 'l')
		for _, t := range trackers { // a tier each (BEP 12)
			b = append(appendText(append(b, 'l'), t), 'e')
		}
		b = append(b, 'e')
	}
	if len(peers) > 0 || len(l.Secret) > 0 {
		b = append(appendText(b, "coral"), 'd')
		if len(peers) > 0 {
			b = append(appendText(b, "peers"), 'l')
			for _, p := range peers {
				b = appendText(b, p)
			}
			b = append(b, 'e')
		}
		if len(l.Secret) > 0 {
			b = appendText(appendText(b, "secret"), string(l.Secret))
		}
		b = append(b, 'e')
	}
	b = append(appendText(b, "info"), l.Descriptor.Info()...)
	return append(b, 'e'), nil
}

// ParseTorrent reads a .torrent file. That of an ordinary torrent gives a link
// without Descriptor; b is not kept.
func ParseTorrent(b []byte) (*Link, error) {
	l, err := parseTorrent(b)
	if err != nil {
		return nil, fmt.Errorf("read torrent: %w", err)
	}
	return l, nil
}

func parseTorrent(b []byte) (*Link, error) {
	if len(b) > MaxTorrent {
		return nil, fmt.Errorf("longer than %d bytes", MaxTorrent)
	}
	var info, secret []byte
	var trackers, peers []string
	// Hints beyond these are not even looked at.
	add := func(list *[]string, s []byte, n int) {
		if len(*list) < n && len(s) <= MaxURI {
			*list = append(*list, string(s))
		}
	}
	r := bencodeReader{b: b}
	r.dict(func(key string) {
		switch key {
		case "announce":
			add(&trackers, r.text(), 1)
		case "announce-list":
			r.list(func() { r.list(func() { add(&trackers, r.text(), 4*MaxTrackers) }) })
		case "coral":
			r.dict(func(key string) {
				switch key {
				case "peers":
					r.list(func() { add(&peers, r.text(), 4*MaxPeers) })
				case "secret":
					secret = bytes.Clone(r.text())
				default:
					r.skip()
				}
			})
		case "info":
			info = r.skip()
		default:
			r.skip()
		}
	})
	if err := r.err(); err != nil {
		return nil, err
	}
	if len(info) == 0 || info[0] != 'd' {
		return nil, errors.New("no info dict")
	}
	l := &Link{
		Channel:  segment.Channel(sha1.Sum(info)),
		Trackers: hints(trackers, MaxTrackers, checkTracker),
		Peers:    hints(peers, MaxPeers, checkPeer),
	}
	name, channel := infoName(info)
	if !channel {
		l.Name = showable(name)
		return l, nil
	}
	d, err := ParseInfo(info)
	if err != nil {
		return nil, err
	}
	if len(secret) > 0 {
		l.Secret = secret
	}
	if !d.Opens(l.Secret) {
		return nil, errors.New("the channel's secret is missing, wrong or not wanted")
	}
	l.Descriptor, l.Name, l.Origins = d, d.Name, append([]string(nil), d.Origins...)
	return l, nil
}

// infoName returns an info dict's name and whether it claims to be a channel's.
func infoName(info []byte) (name string, channel bool) {
	r := bencodeReader{b: info}
	r.dict(func(key string) {
		switch key {
		case "coral":
			channel = true
			r.skip()
		case "name":
			if v := r.skip(); len(v) > 0 && v[0] >= '0' && v[0] <= '9' {
				_, text, _ := bytes.Cut(v, []byte{':'})
				name = string(text)
			}
		default:
			r.skip()
		}
	})
	return name, channel
}
