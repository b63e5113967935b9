package library

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// frame is a picture with a red left and a blue right half.
func frame(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(5, 5, 5+w, 5+h)) // not at 0,0, as frames may be
	for y := range h {
		for x := range w {
			c := color.RGBA{255, 0, 0, 255}
			if x >= w/2 {
				c = color.RGBA{0, 0, 255, 255}
			}
			img.SetRGBA(5+x, 5+y, c)
		}
	}
	return img
}

func encoded(t *testing.T, img image.Image, as string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch as {
	case "png":
		err = png.Encode(&b, img)
	case "jpeg":
		err = jpeg.Encode(&b, img, nil)
	case "gif":
		err = gif.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestShrink(t *testing.T) {
	for _, c := range []struct{ w, h, wantW, wantH int }{
		{1920, 1080, 320, 180},
		{640, 480, 240, 180},
		{320, 180, 320, 180},
		{100, 50, 100, 50},
		{4000, 10, 320, 1},
		{1, 4000, 1, 180},
		{321, 180, 320, 179},
	} {
		got := Shrink(frame(c.w, c.h))
		if got.Rect.Dx() != c.wantW || got.Rect.Dy() != c.wantH || got.Rect.Min != (image.Point{}) {
			t.Errorf("%d×%d becomes %v", c.w, c.h, got.Rect)
		}
		if c.w > 1 {
			left, right := got.RGBAAt(0, 0), got.RGBAAt(got.Rect.Dx()-1, got.Rect.Dy()-1)
			if left != (color.RGBA{255, 0, 0, 255}) || right != (color.RGBA{0, 0, 255, 255}) {
				t.Errorf("%d×%d has the colours %v and %v", c.w, c.h, left, right)
			}
		}
	}
	Shrink(image.NewRGBA(image.Rectangle{})) // nothing, but no panic
}

func TestPosters(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	c := add(t, l, plain(1))
	if l.Poster(c.ID) != nil {
		t.Error("a poster from nowhere")
	}
	for _, as := range []string{"png", "jpeg"} {
		if err := l.PutPoster(c.ID, bytes.NewReader(encoded(t, frame(1280, 720), as))); err != nil {
			t.Errorf("%s: %v", as, err)
		}
	}
	for _, l := range []*Library{l, open(t, dir)} {
		img := l.Poster(c.ID)
		if img == nil || img.Bounds().Dx() != 320 {
			t.Fatalf("%v", img)
		}
		if r, _, b, _ := img.At(10, 10).RGBA(); r < 0xf000 || b > 0x1000 {
			t.Errorf("left is %v", img.At(10, 10))
		}
	}
	if err := l.Forget(c.ID); err != nil {
		t.Fatal(err)
	}
	if list, _ := os.ReadDir(filepath.Join(dir, "posters")); len(list) != 0 || l.Poster(c.ID) != nil {
		t.Errorf("after forgetting: %v", list)
	}
}

// hugePNG says that it is w × h and has no data for it.
func hugePNG(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, 8, 6, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

func TestHostilePictures(t *testing.T) {
	l := open(t, t.TempDir())
	c := add(t, l, plain(1))
	good := encoded(t, frame(100, 100), "png")
	for what, b := range map[string][]byte{
		"nothing": nil, "text": []byte("<svg/>"), "gif": encoded(t, frame(9, 9), "gif"), "cut": good[:len(good)/2],
		"billions": hugePNG(1<<30, 1<<30), "wide": hugePNG(1<<20, 1), "large": hugePNG(4096, 4096), "flat": hugePNG(0, 10),
		"long": append(bytes.Clone(good), make([]byte, maxPicture)...),
	} {
		if err := l.PutPoster(c.ID, bytes.NewReader(b)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if l.Poster(c.ID) != nil {
		t.Error("one of them is the poster")
	}
}

func TestDamagedPoster(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	c := add(t, l, plain(1))
	if err := l.SetPoster(c.ID, frame(32, 18)); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "posters")
	if err := os.WriteFile(filepath.Join(folder, c.ID+posterEnd), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "x.new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	if l.Poster(c.ID) != nil {
		t.Error("garbage is a poster")
	}
	if list, _ := os.ReadDir(folder); len(list) != 0 {
		t.Errorf("%v are left", list)
	}
	if err := l.SetPoster(c.ID, frame(32, 18)); err != nil || l.Poster(c.ID) == nil {
		t.Errorf("made again: %v", err)
	}
}

func TestPostersAreBounded(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "posters")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	small := encoded(t, frame(2, 2), "png")
	for i := range maxPosters {
		name := filepath.Join(folder, fmt.Sprintf("url-%03d.png", i))
		if err := os.WriteFile(name, small, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i-1000) * time.Second)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t, dir)
	c := add(t, l, plain(1))
	if err := l.SetPoster(c.ID, frame(2, 2)); err != nil {
		t.Fatal(err)
	}
	list, _ := os.ReadDir(folder)
	if len(list) != maxPosters || l.Poster("url-000") != nil || l.Poster("url-001") == nil || l.Poster(c.ID) == nil {
		t.Errorf("%d posters", len(list))
	}
	a := l.Poster(c.ID)
	if a == nil || a != l.Poster(c.ID) {
		t.Error("a poster is read again each time")
	}
}

func FuzzPicture(f *testing.F) {
	var b bytes.Buffer
	png.Encode(&b, frame(3, 2))
	f.Add(b.Bytes())
	b.Reset()
	jpeg.Encode(&b, frame(9, 9), nil)
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if img, err := decodePicture(bytes.NewReader(b)); err == nil {
			if got := Shrink(img).Rect; got.Dx() > PosterWidth || got.Dy() > PosterHeight || got.Empty() {
				t.Fatal(got)
			}
		}
	})
}
