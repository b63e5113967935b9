package main

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"coral/node/channel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeEngine records what is asked of it.
type fakeEngine struct {
	cfg       engineConfig
	watched   []*channel.Link
	published []publishConfig
	opened    func() // called when a channel has been opened
	fail      error  // what Run ends with, at once
	die       error  // what ends publishing later
	refuse    error  // what Watch, Seed and Publish say
}

func (e *fakeEngine) Run(ctx context.Context) error {
	if e.fail != nil {
		return e.fail
	}
	<-ctx.Done()
	return nil
}

func (e *fakeEngine) Watch(ctx context.Context, l *channel.Link) (session, error) {
	e.watched = append(e.watched, l)
	defer e.opened()
	return &fakeSession{engine: e, url: "http://127.0.0.1:1234/token/coral.m3u8", name: l.Name}, e.refuse
}

func (e *fakeEngine) Seed(ctx context.Context, l *channel.Link) (session, error) {
	e.watched = append(e.watched, l)
	defer e.opened()
	return &fakeSession{engine: e, name: l.Name}, e.refuse
}

func (e *fakeEngine) Publish(ctx context.Context, cfg publishConfig) (publication, error) {
	e.published = append(e.published, cfg)
	defer e.opened()
	s := &fakeSession{engine: e, name: cfg.name, link: &channel.Link{Playlist: "https://live.example.org/published.m3u8"}, failed: make(chan error, 1)}
	if cfg.private {
		s.link.Secret = make([]byte, channel.SecretSize)
	}
	if e.die != nil {
		s.failed <- e.die
	}
	return s, e.refuse
}

type fakeSession struct {
	engine    *fakeEngine
	url, name string
	link      *channel.Link // of what is published
	failed    chan error
}

func (s *fakeSession) Failed() <-chan error { return s.failed }

func (s *fakeSession) URL() string { return s.url }

func (s *fakeSession) WebURL() string { return s.url }

func (s *fakeSession) Link() *channel.Link { return s.link }

func (s *fakeSession) Stats() (st stats) {
	st.Channel, st.Verified = s.name, true
	st.Bytes.FromPeers, st.Bytes.FromOrigin = 3000, 1000
	st.Peers.Connected = 2
	return st
}

var errFake = errors.New("listen 127.0.0.1:80: the port is taken: choose another with --listen")
