package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// maxFile bounds the file; ours is about 1 KiB, the rest is for other versions'
// keys.
const maxFile = 64 << 10

const versionKey = "version"

// document is what a file says.
type document struct {
	settings Settings
	unknown  map[string]json.RawMessage // keys of other versions
	version  int                        // the file's own
	reset    []string                   // keys whose values could not be used
}

// migrations bring the keys of a file from version i+1 to i+2.
var migrations = [Version - 1]func(map[string]json.RawMessage){}

// decode reads a file. Its error means that this is no settings file at all; what
// is wrong inside is in document.reset.
func decode(b []byte) (d document, err error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(b, &keys); err != nil {
		return document{}, err
	}
	if keys == nil {
		return document{}, errors.New("not an object")
	}
	d = document{settings: Default(), version: 1} // who writes the file by hand may leave it out
	if v, ok := keys[versionKey]; ok {
		if json.Unmarshal(v, &d.version) != nil || d.version < 1 {
			return document{}, errors.New("no version")
		}
		delete(keys, versionKey)
	}
	if d.version > Version {
		defer d.askAgain() // what we read may mean something else
	}
	for v := d.version; v < Version; v++ {
		migrations[v-1](keys)
	}
	for _, f := range fields {
		raw, ok := keys[f.key]
		delete(keys, f.key)
		if !ok || f.read(&d.settings, raw) == nil {
			continue
		}
		d.reset = append(d.reset, f.key)
		if f.guard {
			defer d.askAgain()
		}
	}
	d.unknown = keys
	return d, nil
}

// askAgain takes back the consent to share, but not the choice not to.
func (d *document) askAgain() {
	if d.settings.Consent == Share {
		d.settings.Consent = Unasked
	}
}

// encode writes a file that decode reads: a line for each key. Unknown keys are
// left out if the file would become too large with them.
func encode(s Settings, unknown map[string]json.RawMessage) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n\t%q: %d", versionKey, Version)
	add := func(key string, v json.RawMessage) error {
		k, err := json.Marshal(key)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, ",\n\t%s: ", k)
		return json.Compact(&b, v)
	}
	for _, f := range fields {
		v, err := f.write(&s)
		if err == nil {
			err = add(f.key, v)
		}
		if err != nil {
			return nil, fmt.Errorf("write setting %s: %w", f.key, err)
		}
	}
	known := b.Len()
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		if err := add(key, unknown[key]); err != nil {
			return nil, fmt.Errorf("write unknown setting: %w", err)
		}
	}
	const end = "\n}\n"
	if b.Len()+len(end) > maxFile {
		b.Truncate(known)
	}
	b.WriteString(end)
	return b.Bytes(), nil
}
