package app

import (
	"context"
	"time"

	"coral/node/origin"
)

const (
	// maxLogos bounds how many logos are fetched in a run of the program: some
	// screens of a list that is looked through, not a whole list.
	maxLogos = 300
	// logosAtOnce keeps the line free for the picture.
	logosAtOnce = 3
	logoWithin  = 10 * time.Second
)

// logos are the pictures that lists of channels name. One is fetched when its
// channel is first in sight, over http or https, from public addresses only: who
// wrote the list must not reach into the user's network.
type logos struct {
	policy  origin.Policy
	fetched int
	turns   chan struct{} // room for those under way
}

func newLogos() logos {
	return logos{policy: origin.Policy{AnyPublic: true}, turns: make(chan struct{}, logosAtOnce)}
}

// logo brings a channel's logo: from the disk, or from where its list says.
func (a *app) logo(id string) {
	c, ok := a.library.Get(id)
	if !ok || c.Logo == "" {
		return
	}
	a.later(func(ctx context.Context) func() {
		if a.library.HasLogo(id) {
			return func() {} // it is drawn
		}
		return func() { a.fetchLogo(id, c.Logo) }
	})
}

func (a *app) fetchLogo(id, url string) {
	l := &a.logos
	if l.fetched >= maxLogos {
		return
	}
	l.fetched++
	a.later(func(ctx context.Context) func() {
		select {
		case l.turns <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		defer func() { <-l.turns }()
		ctx, cancel := context.WithTimeout(ctx, logoWithin)
		defer cancel()
		client := origin.New(origin.Config{Policy: l.policy, UserAgent: "Coral/" + a.options.Version})
		defer client.Close()
		body, err := client.Get(ctx, url, 0, -1)
		if err == nil {
			err = a.library.PutLogo(id, body) // reads no more than it may
			body.Close()
		}
		if err != nil {
			a.log.Info("logo", "err", err)
			return nil
		}
		return func() {}
	})
}
