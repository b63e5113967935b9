package mpv

import "testing"

// Memory is let go of only when nothing is shown, and comes again with the next
// picture.
func TestFramesRelax(t *testing.T) {
	f := newFrames(0)
	f.SetSize(64, 36)
	f.setSource(64, 36)
	f.hold(false)
	picture := func() {
		t.Helper()
		b := f.begin()
		if b == nil {
			t.Fatal("no buffer")
		}
		f.end(b, true)
	}
	held := func() (n int) {
		for _, b := range append([]*buffer{f.ready, f.front}, f.free...) {
			if b != nil {
				n += len(b.memory)
			}
		}
		return n
	}
	picture()
	if img, _ := f.Frame(); img == nil {
		t.Fatal("no picture")
	}
	picture()
	f.relax()
	if img, _ := f.Frame(); img == nil || held() == 0 {
		t.Error("a picture that is shown was let go of")
	}
	f.clear()
	f.relax()
	if n := held(); n != 0 {
		t.Errorf("%d bytes are kept", n)
	}
	f.hold(false)
	for range 4 {
		picture()
	}
	if img, _ := f.Frame(); img == nil || len(f.free) != 2 {
		t.Errorf("picture %v, %d buffers free", img != nil, len(f.free))
	}
}
