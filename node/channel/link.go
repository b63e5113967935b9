package channel

import (
	"crypto/ed25519"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"coral/store/segment"
)

// Link is what is handed out: it names a channel and says where to find it.
type Link struct {
	Channel segment.Channel
	// Descriptor is what the link says of the channel, checked against Channel;
	// nil if it says nothing and a peer must be asked for the info dict.
	Descriptor *Descriptor
	Name       string   // to show; the descriptor's if there is one
	Trackers   []string // http, https or udp URLs
	Peers      []string // host:port
	Origins    []string // playlist URLs; the descriptor's if there is one
	Secret     []byte   // of a private channel; nil if public
	// Playlist is a plain http(s) playlist: no channel, and all else is empty.
	Playlist string
}

// compact is x.coral's binary form: version, flags, key, secret hash if private.
const (
	compactVersion = 1
	compactPrivate = 1
)

// ParseLink reads a magnet: or coral: link, or a plain http(s) playlist URL.
// Parameters that are not known are left out. Where the link describes its
// channel, the description hashes to the channel's name or the link is refused.
func ParseLink(s string) (*Link, error) {
	l, err := parseLink(strings.TrimSpace(s))
	if err != nil {
		return nil, fmt.Errorf("read link: %w", err)
	}
	return l, nil
}

func parseLink(s string) (*Link, error) {
	if len(s) > MaxLink {
		return nil, fmt.Errorf("longer than %d bytes", MaxLink)
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok {
		return nil, errors.New("neither magnet:, coral: nor http(s)")
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		return parsePlaylist(strings.ToLower(scheme) + ":" + rest)
	case "coral":
		// Some systems' handlers make an authority of it.
		rest = strings.TrimLeft(rest, "/")
	case "magnet":
	default:
		return nil, errors.New("neither magnet:, coral: nor http(s)")
	}
	query, ok := strings.CutPrefix(rest, "?")
	if !ok {
		return nil, errors.New("no '?' after the scheme")
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("badly escaped")
	}
	return linkOf(q)
}

// parsePlaylist takes a plain playlist's URL.
func parsePlaylist(s string) (*Link, error) {
	s, _, _ = strings.Cut(s, "#")
	if err := checkURL(s, "http", "https"); err != nil {
		return nil, err
	}
	if u, err := url.Parse(s); err == nil && strings.HasSuffix(strings.ToLower(u.Path), ".torrent") {
		return nil, errors.New("a .torrent file must be fetched first")
	}
	return &Link{Playlist: s}, nil
}

// linkOf makes a link of a magnet link's parameters.
func linkOf(q url.Values) (*Link, error) {
	l := &Link{}
	named := false
	for _, xt := range q["xt"] {
		hash, ok := strings.CutPrefix(xt, "urn:btih:")
		if !ok {
			continue // another network's name for it, or a v2 info-hash
		}
		ch, ok := decodeHash(hash)
		if !ok || named && ch != l.Channel {
			return nil, errors.New("xt: not one BitTorrent info-hash")
		}
		named, l.Channel = true, ch
	}
	if !named {
		return nil, errors.New("xt: no BitTorrent info-hash")
	}
	l.Name = showable(q.Get("dn"))
	l.Trackers = hints(q["tr"], MaxTrackers, checkTracker)
	l.Peers = hints(q["x.pe"], MaxPeers, checkPeer)
	l.Origins = q["as"]
	if err := checkOrigins(l.Origins); err != nil {
		return nil, fmt.Errorf("as: %w", err)
	}
	var err error
	if s := q.Get("x.secret"); s != "" {
		if l.Secret, err = base64.RawURLEncoding.Strict().DecodeString(s); err != nil || len(l.Secret) != SecretSize {
			return nil, errors.New("x.secret: cut off or altered")
		}
	}
	if s := q.Get("x.coral"); s != "" {
		if err = l.describe(s); err != nil {
			return nil, fmt.Errorf("x.coral: %w", err)
		}
	}
	return l, nil
}

// describe makes the descriptor of x.coral, dn and as.
func (l *Link) describe(s string) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 2 {
		return errors.New("cut off or altered")
	}
	if b[0] != compactVersion {
		return errors.New("made by another version of Coral")
	}
	d := &Descriptor{Name: l.Name, Origins: slices.Clone(l.Origins)}
	want := 2 + ed25519.PublicKeySize
	switch b[1] {
	case 0:
	case compactPrivate:
		d.Private = true
		want += len(d.SecretHash)
	default:
		return errors.New("made by another version of Coral")
	}
	if len(b) != want {
		return errors.New("cut off or altered")
	}
	d.Root = b[2 : 2+ed25519.PublicKeySize]
	copy(d.SecretHash[:], b[2+ed25519.PublicKeySize:])
	if err := d.Check(); err != nil {
		return err
	}
	if d.Channel() != l.Channel {
		return errors.New("the link was altered: name, origins and key are not the channel's")
	}
	if !d.Opens(l.Secret) {
		return errors.New("the channel's secret is missing, wrong or not wanted")
	}
	l.Descriptor = d
	return nil
}

// String returns the link as a magnet link, or the plain playlist's URL.
// Trackers and peers that do not fit MaxLink are left out.
func (l *Link) String() string { return l.text("magnet") }

// URI is String with the scheme coral:, for which operating systems start Coral.
func (l *Link) URI() string { return l.text("coral") }

func (l *Link) text(scheme string) string {
	if l.Playlist != "" {
		return l.Playlist
	}
	var b, hints strings.Builder
	b.WriteString(scheme + ":?xt=urn:btih:" + l.Channel.String())
	name, origins, tail := l.Name, l.Origins, ""
	if d := l.Descriptor; d != nil {
		name, origins = d.Name, d.Origins
		c := append([]byte{compactVersion, 0}, d.Root...)
		if d.Private {
			c[1] = compactPrivate
			c = append(c, d.SecretHash[:]...)
		}
		tail = "&x.coral=" + base64.RawURLEncoding.EncodeToString(c)
	}
	if len(l.Secret) > 0 {
		tail += "&x.secret=" + base64.RawURLEncoding.EncodeToString(l.Secret)
	}
	if name != "" {
		b.WriteString("&dn=" + escape(name))
	}
	for _, o := range slices.Backward(origins) { // their order counts
		tail = "&as=" + escape(o) + tail
	}
	room := MaxLink - b.Len() - len(tail)
	hint := func(key string, list []string, n int, write func(string) string) {
		for _, v := range list[:min(n, len(list))] {
			if p := key + write(v); hints.Len()+len(p) <= room {
				hints.WriteString(p)
			}
		}
	}
	hint("&tr=", l.Trackers, MaxTrackers, escape)
	// Not escaped: some clients take x.pe as it stands.
	hint("&x.pe=", l.Peers, MaxPeers, func(peer string) string { return peer })
	return b.String() + hints.String() + tail
}

// showable returns a name that others gave, or "" if it should not be shown. An
// ordinary torrent may be called anything.
func showable(name string) string {
	if checkText(name, MaxName) != nil {
		return ""
	}
	return name
}

// hints returns those of list that check takes, each once, at most n.
func hints(list []string, n int, check func(string) error) (kept []string) {
	for _, s := range list {
		if len(kept) < n && check(s) == nil && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}

func checkTracker(s string) error { return checkURL(s, "http", "https", "udp") }

// checkPeer reports what is not host:port, or would need escaping in a link.
func checkPeer(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil || len(host) > 255 || host == "" {
		return errors.New("not host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("not host:port")
	}
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(".-_:[]", c) >= 0) {
			return errors.New("not host:port")
		}
	}
	return nil
}

// decodeHash reads an info-hash in hexadecimal or base32 (BEP 9).
func decodeHash(s string) (ch segment.Channel, ok bool) {
	var b []byte
	var err error
	if len(s) == 2*len(ch) {
		b, err = hex.DecodeString(s)
	} else {
		b, err = base32.StdEncoding.DecodeString(strings.ToUpper(s))
	}
	if err != nil || len(b) != len(ch) { // base32 may be padded
		return ch, false
	}
	return segment.Channel(b), true
}
