package channel

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"coral/store/segment"
)

// Descriptor says what a channel is. All of it is in the info dict, so the
// channel's name in the swarm, the info-hash, commits to it.
type Descriptor struct {
	Name    string
	Root    ed25519.PublicKey // checks the delegations of the feed
	Origins []string          // absolute URLs of the channel's playlist; may be empty
	Private bool
	// SecretHash is SecretHash of a private channel's secret; zero if public.
	SecretHash [32]byte
}

const (
	infoVersion = 1
	pieceLength = 16 << 10 // the payload is one piece, so it is never longer
)

// ErrNotChannel is what ParseInfo says of an ordinary torrent's info dict.
var ErrNotChannel = errors.New("not a Coral channel")

// NewSecret makes the secret of a private channel.
func NewSecret() ([]byte, error) {
	s := make([]byte, SecretSize)
	if _, err := rand.Read(s); err != nil {
		return nil, fmt.Errorf("make secret: %w", err)
	}
	return s, nil
}

// SecretHash is what a private channel's descriptor holds of its secret.
func SecretHash(secret []byte) [32]byte {
	return sha256.Sum256(append([]byte("coral/secret/v1\x00"), secret...))
}

// Opens reports whether secret is the one that the channel needs: none if it is
// public.
func (d *Descriptor) Opens(secret []byte) bool {
	if !d.Private {
		return len(secret) == 0
	}
	return len(secret) == SecretSize && SecretHash(secret) == d.SecretHash
}

// Check reports what makes d no channel. The other methods ask for a d that
// passes.
func (d *Descriptor) Check() error {
	if err := checkText(d.Name, MaxName); err != nil {
		return fmt.Errorf("channel name: %w", err)
	}
	if d.Name == "" || strings.TrimSpace(d.Name) != d.Name {
		return errors.New("channel name: empty, or begins or ends with space")
	}
	if len(d.Root) != ed25519.PublicKeySize {
		return errors.New("channel key: wrong length")
	}
	if err := checkOrigins(d.Origins); err != nil {
		return fmt.Errorf("channel origins: %w", err)
	}
	if d.Private != (d.SecretHash != [32]byte{}) {
		return errors.New("channel secret: only a private channel has one, and must")
	}
	return nil
}

func checkOrigins(origins []string) error {
	if len(origins) > MaxOrigins {
		return fmt.Errorf("more than %d", MaxOrigins)
	}
	escaped := 0
	for _, o := range origins {
		if err := checkURL(o, "http", "https"); err != nil {
			return err
		}
		escaped += len(escape(o))
	}
	if escaped > maxOriginBytes {
		return fmt.Errorf("longer than %d bytes together", maxOriginBytes)
	}
	return nil
}

// Channel is the info-hash: the SHA-1 of Info.
func (d *Descriptor) Channel() segment.Channel { return sha1.Sum(d.Info()) }

// Link returns the link of the channel, to which trackers, peers and a private
// channel's secret are yet to be added.
func (d *Descriptor) Link() *Link {
	return &Link{Channel: d.Channel(), Descriptor: d, Name: d.Name, Origins: append([]string(nil), d.Origins...)}
}

// Payload is the one small file of the channel's torrent: what ordinary
// BitTorrent clients download.
func (d *Descriptor) Payload() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\nThis is a live channel. Its picture and sound are not in this file: they travel\n"+
		"between viewers while it is on. To watch, open the channel's link with Coral.\n", d.Name)
	for i, o := range d.Origins {
		if i == 0 {
			b.WriteString("\nThe organiser's own server:\n")
		}
		fmt.Fprintf(&b, "  %s\n", o)
	}
	fmt.Fprintf(&b, "\nThe channel's key (ed25519):\n  %s\n", hex.EncodeToString(d.Root))
	if d.Private {
		b.WriteString("\nThis channel is private: do not pass its link on.\n")
	}
	return b.Bytes()
}

// Info is the info dict of the channel's torrent (BEP 3).
func (d *Descriptor) Info() []byte {
	payload := d.Payload()
	piece := sha1.Sum(payload)
	b := []byte("d5:corald3:key")
	b = appendText(b, string(d.Root))
	b = appendText(appendText(b, "name"), d.Name)
	if len(d.Origins) > 0 {
		b = append(appendText(b, "origins"), 'l')
		for _, o := range d.Origins {
			b = appendText(b, o)
		}
		b = append(b, 'e')
	}
	if d.Private {
		b = appendText(appendText(b, "secret"), string(d.SecretHash[:]))
	}
	b = append(appendNumber(appendText(b, "v"), infoVersion), 'e')
	b = appendNumber(appendText(b, "length"), len(payload))
	b = appendText(appendText(b, "name"), fileName(d.Name))
	b = appendNumber(appendText(b, "piece length"), pieceLength)
	b = appendText(appendText(b, "pieces"), string(piece[:]))
	if d.Private {
		b = appendNumber(appendText(b, "private"), 1)
	}
	return append(b, 'e')
}

// fileName is the payload's: no system takes it for a path, a device or a
// hidden file.
func fileName(name string) string {
	return "Coral channel " + strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?<>|"`, r) {
			return '_'
		}
		return r
	}, name) + ".txt"
}

// ParseInfo reads an info dict. It takes exactly what Info makes: what differs
// in one byte is refused, and so is what a later version adds.
func ParseInfo(info []byte) (*Descriptor, error) {
	if len(info) > MaxInfo {
		return nil, fmt.Errorf("read channel: info dict longer than %d bytes", MaxInfo)
	}
	d := &Descriptor{}
	version := uint64(0)
	r := bencodeReader{b: info}
	r.dict(func(key string) {
		if key != "coral" {
			r.skip()
			return
		}
		r.dict(func(key string) {
			switch key {
			case "key":
				d.Root = bytes.Clone(r.text())
			case "name":
				d.Name = string(r.text())
			case "origins":
				r.list(func() {
					if d.Origins = append(d.Origins, string(r.text())); len(d.Origins) > MaxOrigins {
						r.bad = true
					}
				})
			case "secret":
				d.Private = true
				if s := r.text(); len(s) == len(d.SecretHash) {
					copy(d.SecretHash[:], s)
				}
			case "v":
				version = r.number()
			default:
				r.skip()
			}
		})
	})
	if err := r.err(); err != nil {
		return nil, fmt.Errorf("read channel: %w", err)
	}
	switch {
	case version == 0:
		return nil, fmt.Errorf("read channel: %w", ErrNotChannel)
	case version > infoVersion:
		return nil, fmt.Errorf("read channel: made by a later version of Coral (format %d)", version)
	}
	if err := d.Check(); err != nil {
		return nil, fmt.Errorf("read channel: %w", err)
	}
	if !bytes.Equal(d.Info(), info) {
		return nil, errors.New("read channel: the info dict holds more or other than a channel's")
	}
	return d, nil
}

// escape is url.QueryEscape with %20 for space: programs that are not browsers
// show or keep a plus sign.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
