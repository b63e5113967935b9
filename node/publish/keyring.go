package publish

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"coral/node/channel"
	"coral/store/segment"
)

const (
	signingFile = "signing.json"
	// delegationLife is how long a signing key may be used: the longest that
	// the feed accepts. Who steals it can forge for a day at most.
	delegationLife = 24 * time.Hour
	// delegationBackdate lets a record be signed although the clock was set
	// back a little after the delegation was made.
	delegationBackdate = time.Hour
	// rotateBefore is how long before its end a key is followed by the next:
	// time enough for an organiser to notice that it fails (no disk, no root).
	rotateBefore = 8 * time.Hour
	// spreadDelegation is how long a delegation is known before its key signs,
	// so that it has reached every node.
	spreadDelegation = 5 * time.Minute
	// keepDelegations is how many are kept: records of old ones that are still
	// offered need them. These are two months' worth.
	keepDelegations = 100
)

// signingKey is a key and the record with which the root key delegates to it.
type signingKey struct {
	Serial     uint64    `json:"serial"`
	Seed       []byte    `json:"seed"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Use        time.Time `json:"use"` // signs from here on
	Delegation []byte    `json:"delegation"`
}

func (k *signingKey) valid(now time.Time) bool {
	return len(k.Seed) > 0 && !now.Before(k.From) && now.Before(k.To)
}

// keyring holds the signing keys, oldest first. It may be used by many
// goroutines.
type keyring struct {
	disk *disk
	ch   segment.Channel
	// root reads the root key from where it is kept.
	root func() (ed25519.PrivateKey, error)

	mu   sync.Mutex
	keys []signingKey
}

func openKeyring(d *disk, ch segment.Channel, root func() (ed25519.PrivateKey, error), now time.Time) (*keyring, error) {
	k := &keyring{disk: d, ch: ch, root: root}
	if _, err := d.readJSON(signingFile, &k.keys); err != nil {
		return nil, err
	}
	for _, key := range k.keys {
		if len(key.Seed) != ed25519.SeedSize && len(key.Seed) != 0 || len(key.Delegation) == 0 {
			return nil, fmt.Errorf("read state %s: damaged", signingFile)
		}
	}
	_, err := k.rotate(now)
	return k, err
}

// rotate makes a new key if it is time, and reports whether it did. Its
// delegation must then be published.
func (k *keyring) rotate(now time.Time) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	newest := len(k.keys) - 1
	if newest >= 0 && k.keys[newest].valid(now) && now.Before(k.keys[newest].To.Add(-rotateBefore)) {
		return false, nil
	}
	root, err := k.root()
	if err != nil {
		return false, fmt.Errorf("delegate signing key: %w", err)
	}
	defer clear(root)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return false, fmt.Errorf("delegate signing key: %w", err)
	}
	// Whole seconds, which a record can hold without loss.
	now = now.UTC().Truncate(time.Second)
	key := signingKey{Seed: private.Seed(), From: now.Add(-delegationBackdate), Use: now}
	// The time makes serials rise even if the file was lost.
	key.Serial = uint64(max(1, now.Unix()))
	if newest >= 0 {
		key.Serial = max(key.Serial, k.keys[newest].Serial+1)
		if k.keys[newest].valid(now) {
			// The predecessor signs on until then, and is accepted until
			// channel.Overlap after From.
			key.From, key.Use = now, now.Add(spreadDelegation)
		}
	}
	key.To = key.From.Add(delegationLife)
	key.Delegation = channel.Delegate(root, k.ch, public, key.Serial, key.From, key.To)
	keys := append(slices.Clone(k.keys), key)
	keys = keys[max(0, len(keys)-keepDelegations):]
	for i := range keys {
		if old := &keys[i]; now.After(old.To) {
			old.Seed = nil // of no use but to a thief
		}
	}
	if err := k.disk.writeJSON(signingFile, keys); err != nil {
		return false, err
	}
	k.keys = keys
	return true, nil
}

// signer returns the key that signs now, and its delegation.
func (k *keyring) signer(now time.Time) (ed25519.PrivateKey, []byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var best *signingKey
	for i := range k.keys {
		key := &k.keys[i]
		if key.valid(now) && (best == nil || !now.Before(key.Use)) {
			best = key
		}
	}
	if best == nil {
		return nil, nil, fmt.Errorf("sign: no delegated key is valid at %s", now.UTC().Format(time.RFC3339))
	}
	return ed25519.NewKeyFromSeed(best.Seed), best.Delegation, nil
}

// delegations returns the records of all keys that are kept.
func (k *keyring) delegations() [][]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	recs := make([][]byte, len(k.keys))
	for i := range k.keys {
		recs[i] = k.keys[i].Delegation
	}
	return recs
}
