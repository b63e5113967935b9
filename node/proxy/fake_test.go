package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"coral/node/channel"
	"coral/node/hls"
	"coral/node/nodetest"
	"coral/store/segment"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a session whose knowledge the test sets. What is not set is waited for.
type fake struct {
	mu           sync.Mutex
	changed      chan struct{}
	presentation *channel.Presentation
	playlists    map[uint16]*Playlist
	objects      map[segment.ID]*blob
	keys         map[int][]byte
	err          error // if set, every method fails with it
	opened       int
	closed       int
}

func newFake() *fake {
	return &fake{
		changed: make(chan struct{}), playlists: make(map[uint16]*Playlist),
		objects: make(map[segment.ID]*blob), keys: make(map[int][]byte),
	}
}

// set runs f with the lock held and wakes all who wait.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	close(f.changed)
	f.changed = make(chan struct{})
}

// wait runs ready with the lock held until it returns true.
func (f *fake) wait(ctx context.Context, ready func() bool) error {
	for {
		f.mu.Lock()
		err, ok, changed := f.err, ready(), f.changed
		f.mu.Unlock()
		switch {
		case err != nil:
			return err
		case ok:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fake) Name() string { return "test" }

func (f *fake) Multivariant(ctx context.Context) (p *channel.Presentation, err error) {
	err = f.wait(ctx, func() bool { p = f.presentation; return p != nil })
	return p, err
}

func (f *fake) Media(ctx context.Context, rendition uint16, after uint64) (pl *Playlist, err error) {
	err = f.wait(ctx, func() bool { pl = f.playlists[rendition]; return pl != nil && pl.Revision > after })
	if rendition > 100 {
		err = ErrNotFound
	}
	return pl, err
}

func (f *fake) View(past bool) Viewing { return f }

func (f *fake) Shown(ctx context.Context, after uint64) (*Playlist, error) {
	return f.History(ctx, 0, after)
}

// Chosen has the first variant, with its groups.
func (f *fake) Chosen(ctx context.Context) (*channel.Presentation, error) {
	p, err := f.Multivariant(ctx)
	if err != nil {
		return nil, err
	}
	one := *p
	one.Renditions = slices.DeleteFunc(slices.Clone(p.Renditions), func(r channel.Rendition) bool {
		return r.Kind == channel.Variant && r.ID != p.Renditions[0].ID
	})
	return &one, nil
}

func (f *fake) History(ctx context.Context, rendition uint16, after uint64) (*Playlist, error) {
	return f.Media(ctx, rendition, after)
}

func (f *fake) Open(ctx context.Context, id segment.ID) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	b := f.objects[id]
	if b == nil {
		return nil, fmt.Errorf("open %v: %w", id, ErrNotFound)
	}
	f.opened++
	return &view{b, f}, nil
}

func (f *fake) Key(_ context.Context, _ uint16, n int) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.keys[n]; k != nil {
		return k, nil
	}
	return nil, ErrNotFound
}

// live adds the segment with this sequence to rendition 0's playlist, which
// shows the newest window ones.
func (f *fake) live(seq uint64, window int, ended bool) {
	f.liveSegment(hls.Segment{Sequence: seq, Duration: 2 * time.Second, URI: "https://origin.example/x.ts?token=secret"}, window, ended)
}

func (f *fake) liveSegment(next hls.Segment, window int, ended bool) {
	seq := next.Sequence
	f.set(func() {
		old := f.playlists[0]
		pl := &Playlist{Revision: 1, Updated: time.Now(), Media: hls.Media{Target: 2 * time.Second, Sequence: seq}}
		if old != nil {
			pl.Revision = old.Revision + 1
			pl.Media.Segments = append(pl.Media.Segments, old.Media.Segments...)
			pl.IDs = append(pl.IDs, old.IDs...)
			pl.Media.Sequence = old.Media.Sequence
		}
		pl.Media.Segments = append(pl.Media.Segments, next)
		pl.IDs = append(pl.IDs, segment.ID{Sequence: seq})
		if n := len(pl.IDs) - window; n > 0 {
			pl.Media.Segments, pl.IDs, pl.Media.Sequence = pl.Media.Segments[n:], pl.IDs[n:], pl.Media.Sequence+uint64(n)
		}
		pl.Media.Ended = ended
		f.playlists[0] = pl
	})
}

// blob is an object's bytes, of which only the first have come.
type blob struct {
	data      []byte
	come      int
	sizeKnown bool
	err       error // after come bytes
	said      string
}

func whole(data []byte) *blob { return &blob{data: data, come: len(data), sizeKnown: true} }

// view is one reader of a blob.
type view struct {
	*blob
	f *fake
}

func (v *view) Size() int64 {
	v.f.mu.Lock()
	defer v.f.mu.Unlock()
	if !v.sizeKnown {
		return -1
	}
	return int64(len(v.data))
}

func (v *view) ReadAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	var end error
	err = v.f.wait(ctx, func() bool {
		switch {
		case off < int64(v.come):
			n = copy(p, v.data[off:v.come])
		case v.sizeKnown && off >= int64(len(v.data)):
			end = io.EOF
		case v.err != nil:
			end = v.err
		default:
			return false
		}
		return true
	})
	if err == nil {
		err = end
	}
	return n, err
}

func (v *view) ContentType() string { return v.said }

func (v *view) Close() {
	v.f.mu.Lock()
	defer v.f.mu.Unlock()
	v.f.closed++
}

// setup is a running server with one mount.
type setup struct {
	*fake
	server *Server
	mount  *Mount
	client *http.Client
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
}

// start runs a server on l (nil: loopback) until the test ends. n, if not nil, is
// the network that l is of.
func start(t testing.TB, n *nodetest.Net) *setup {
	t.Helper()
	s := &setup{fake: newFake()}
	cfg := Config{}
	var d net.Dialer
	s.dial = d.DialContext
	s.client = &http.Client{Transport: &http.Transport{DisableCompression: true}}
	if n != nil {
		l, err := n.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		cfg.Listener, s.dial, s.client = l, n.DialContext, n.Client()
	}
	var err error
	if s.server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	if s.mount, err = s.server.Mount(s.fake, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.server.Run(ctx) }()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		s.fake.mu.Lock()
		defer s.fake.mu.Unlock()
		if s.opened != s.closed {
			t.Errorf("%d objects opened, %d closed", s.opened, s.closed)
		}
	})
	return s
}

// url is the URL of a path below /TOKEN/play/.
func (s *setup) url(path string) string {
	u := s.mount.URL()
	return u[:len(u)-len(masterName)] + path
}

// answer is a response with its body, and how reading that ended.
type answer struct {
	*http.Response
	body []byte
	err  error
}

func (s *setup) do(t testing.TB, method, url string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	res, err := s.client.Do(req)
	if err != nil {
		return answer{Response: &http.Response{Header: http.Header{}}, err: err}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{res, b, err}
}

func (s *setup) get(t testing.TB, path string, header ...string) answer {
	t.Helper()
	return s.do(t, http.MethodGet, s.url(path), header...)
}
