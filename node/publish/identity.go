package publish

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"coral/node/channel"
	"coral/store/segment"
)

const (
	rootFile    = "root.key"
	channelFile = "channel.json"
	// defaultName is what a channel without a name is called.
	defaultName = "Live"
	rootPEM     = "PRIVATE KEY"
)

// stored is what a channel is: it never changes, since its link would.
type stored struct {
	Name    string   `json:"name"`
	Root    []byte   `json:"root"` // public key
	Origins []string `json:"origins"`
	Private bool     `json:"private"`
	Secret  []byte   `json:"secret,omitempty"`
}

func (s *stored) descriptor() *channel.Descriptor {
	d := &channel.Descriptor{Name: s.Name, Root: s.Root, Origins: s.Origins, Private: s.Private}
	if s.Private {
		d.SecretHash = channel.SecretHash(s.Secret)
	}
	return d
}

// identity is the channel that a state folder holds.
type identity struct {
	desc    *channel.Descriptor
	secret  []byte // nil: public
	channel segment.Channel
}

// wish is what the organiser asks for. It decides when the folder is new, and
// is compared with what is there otherwise.
type wish struct {
	name    string // empty: whatever it is
	origins []string
	private bool
}

// openIdentity reads the channel from the folder, or makes a new one. differs
// says in what the channel is not as wished.
func openIdentity(d *disk, w wish) (id *identity, differs []string, err error) {
	var s stored
	known, err := d.readJSON(channelFile, &s)
	if err != nil {
		return nil, nil, err
	}
	root, err := readRoot(d)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !known:
		if root, err = channel.NewRoot(); err != nil {
			return nil, nil, fmt.Errorf("make root key: %w", err)
		}
		if err := writeRoot(d, root); err != nil {
			return nil, nil, err
		}
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("read state: %s is missing: without it the channel cannot go on; put it back, or use a new state folder", rootFile)
	case err != nil:
		return nil, nil, err
	}
	defer clear(root)
	public := slices.Clone(root.Public().(ed25519.PublicKey))
	if !known {
		s = stored{Name: w.name, Root: public, Origins: w.origins, Private: w.private}
		if s.Name == "" {
			s.Name = defaultName
		}
		if s.Private {
			if s.Secret, err = channel.NewSecret(); err != nil {
				return nil, nil, fmt.Errorf("make secret: %w", err)
			}
		}
		if err := s.descriptor().Check(); err != nil {
			return nil, nil, err
		}
		if err := d.writeJSON(channelFile, s); err != nil {
			return nil, nil, err
		}
	}
	if !slices.Equal(s.Root, public) || s.Private != (len(s.Secret) > 0) {
		return nil, nil, fmt.Errorf("read state: %s and %s do not belong together", channelFile, rootFile)
	}
	if w.private && !s.Private {
		return nil, nil, errors.New("open state folder: its channel is public and stays so: use a new state folder for a private one")
	}
	if w.name != "" && w.name != s.Name {
		differs = append(differs, fmt.Sprintf("its name stays %q", s.Name))
	}
	if !slices.Equal(w.origins, s.Origins) {
		where := "no origin"
		if len(s.Origins) > 0 {
			where = strings.Join(s.Origins, " ")
		}
		differs = append(differs, "viewers go on fetching from "+where)
	}
	if s.Private && !w.private {
		differs = append(differs, "it stays private")
	}
	id = &identity{secret: s.Secret, desc: s.descriptor()}
	if err := id.desc.Check(); err != nil {
		return nil, nil, fmt.Errorf("read state %s: %w", channelFile, err)
	}
	id.channel = id.desc.Channel()
	return id, differs, nil
}

// readRoot returns the root key, or fs.ErrNotExist. Whoever calls it clears it.
func readRoot(d *disk) (ed25519.PrivateKey, error) {
	data, err := d.read(rootFile)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	block, _ := pem.Decode(data)
	if block == nil || block.Type != rootPEM {
		return nil, fmt.Errorf("read state %s: not a key", rootFile)
	}
	defer clear(block.Bytes)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read state %s: not a key", rootFile)
	}
	root, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read state %s: not an ed25519 key", rootFile)
	}
	return root, nil
}

func writeRoot(d *disk, root ed25519.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(root)
	if err != nil {
		return fmt.Errorf("write state %s: %w", rootFile, err)
	}
	defer clear(der)
	return d.write(rootFile, pem.EncodeToMemory(&pem.Block{Type: rootPEM, Bytes: der}))
}

// link is the channel's link. Peers and trackers are not part of its identity.
func (id *identity) link(advertise []string, tracker bool) *channel.Link {
	l := &channel.Link{
		Channel: id.channel, Descriptor: id.desc, Name: id.desc.Name, Secret: id.secret,
		Peers: slices.Clone(advertise), Origins: slices.Clone(id.desc.Origins),
	}
	if tracker {
		for _, addr := range advertise {
			l.Trackers = append(l.Trackers, "http://"+addr+"/announce")
		}
	}
	return l
}
