package library

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coral/app/settings"
)

const (
	// fileVersion is that of both files' formats.
	fileVersion = 1
	// maxLibraryFile bounds channels.json: MaxChannels at a generous KiB and a
	// half. Encode keeps to it.
	maxLibraryFile = 32 << 20
)

// record is a channel in the file.
type record struct {
	Link     string           `json:"link"`
	Title    string           `json:"title,omitempty"`
	Named    string           `json:"name,omitempty"`
	Group    string           `json:"group,omitempty"`
	Logo     string           `json:"logo,omitempty"`
	Added    time.Time        `json:"added,omitzero"`
	LastSeen time.Time        `json:"seen,omitzero"`
	Favorite bool             `json:"favorite,omitempty"`
	Consent  settings.Consent `json:"share,omitempty"`
}

// checkVersion reports what is no file of ours. What a newer Coral wrote is read
// as far as it can be: channels that are half understood are better than none.
func checkVersion(version int) error {
	if version < 1 {
		return errors.New("no version")
	}
	return nil
}

// decodeChannels reads channels.json. The error means that it is no such file;
// channels that cannot be used are dropped.
func decodeChannels(b []byte) (list []Channel, dropped int, err error) {
	var file struct {
		Version  int               `json:"version"`
		Channels []json.RawMessage `json:"channels"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, 0, err
	}
	if err := checkVersion(file.Version); err != nil {
		return nil, 0, err
	}
	for _, raw := range file.Channels {
		var r record
		wrong := json.Unmarshal(raw, &r) // what is right in it is read all the same
		c, err := made(Channel{
			Link: r.Link, Group: r.Group, Logo: r.Logo, Added: r.Added, LastSeen: r.LastSeen,
			Favorite: r.Favorite, Consent: r.Consent, title: r.Title, named: r.Named,
		})
		if err != nil || len(list) == MaxChannels {
			dropped++
			continue
		}
		if (wrong != nil || file.Version > fileVersion) && c.Consent == settings.Share {
			c.Consent = settings.Unasked
		}
		list = append(list, c)
	}
	return list, dropped, nil
}

var errTooLarge = errors.New("too many channels with too long links")

// encodeChannels writes channels.json: a line for each channel.
func encodeChannels(list []Channel) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"version\":%d,\"channels\":[", fileVersion)
	for i, c := range list {
		line, err := json.Marshal(record{
			Link: c.Link, Title: c.title, Named: c.named, Group: c.Group, Logo: c.Logo,
			Added: written(c.Added), LastSeen: written(c.LastSeen), Favorite: c.Favorite, Consent: c.Consent,
		})
		if err != nil {
			return nil, fmt.Errorf("write channel: %w", err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(line)
	}
	b.WriteString("\n]}\n")
	if b.Len() > maxLibraryFile {
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}

// written is how a time is kept: to the second, and none of those that JSON
// cannot hold.
func written(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Second)
	if y := t.Year(); y < 1970 || y > 9999 {
		return time.Time{}
	}
	return t
}
