package library

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // pictures come as one of these
	"image/png"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/image/draw"
)

const (
	// PosterWidth and PosterHeight are the most that a poster has.
	PosterWidth, PosterHeight = 320, 180
	// maxPicture bounds a picture as a file, and maxPixels after decoding: a
	// screen of 2560×1600, which takes up to 32 MiB.
	maxPicture = 4 << 20
	maxPixels  = 4 << 20
	// maxSide bounds one side: a picture of one line is no picture.
	maxSide = 8192
	// maxPosters bounds the folder, at about 60 KB each, and the memory that they
	// take once they were shown, at 225 KiB each.
	maxPosters = 200
)

var errPicture = errors.New("not a PNG or JPEG picture of ordinary size")

// posters is a folder of pictures. Those that were asked for stay in memory.
type posters struct {
	folder string

	mu   sync.Mutex
	have map[string]*poster // nil: the folder was not looked at yet
}

type poster struct {
	put time.Time
	img image.Image // nil: on the disk only
}

// Shrink returns a picture that is at most PosterWidth × PosterHeight, in its own
// proportions. A small one keeps its size. src is not kept.
func Shrink(src image.Image) *image.RGBA {
	b := src.Bounds()
	w, h := max(1, b.Dx()), max(1, b.Dy())
	if w > PosterWidth {
		w, h = PosterWidth, max(1, h*PosterWidth/w)
	}
	if h > PosterHeight {
		w, h = max(1, w*PosterHeight/h), PosterHeight
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.BiLinear.Scale(dst, dst.Rect, src, b, draw.Src, nil)
	return dst
}

// PutPoster makes the channel's poster of a picture that came from anywhere.
func (l *Library) PutPoster(id string, r io.Reader) error {
	img, err := decodePicture(r)
	if err != nil {
		return fmt.Errorf("read poster: %w", err)
	}
	return l.SetPoster(id, img)
}

// SetPoster makes the channel's poster of a frame or another picture, which is
// not kept.
func (l *Library) SetPoster(id string, img image.Image) error {
	if _, ok := l.Get(id); !ok {
		return fmt.Errorf("save poster: %w", ErrUnknown)
	}
	if err := l.posters.put(id, Shrink(img)); err != nil {
		return fmt.Errorf("save poster: %w", err)
	}
	l.mu.Lock()
	l.revision++
	l.mu.Unlock()
	return nil
}

// PutLogo makes the channel's logo of a picture that came from anywhere. It is shown
// where there is no poster.
func (l *Library) PutLogo(id string, r io.Reader) error {
	img, err := decodePicture(r)
	if err != nil {
		return fmt.Errorf("read logo: %w", err)
	}
	if _, ok := l.Get(id); !ok {
		return fmt.Errorf("save logo: %w", ErrUnknown)
	}
	if err := l.logos.put(id, Shrink(img)); err != nil {
		return fmt.Errorf("save logo: %w", err)
	}
	return nil
}

// HasLogo reports whether the channel's logo is there, and brings it from the disk.
func (l *Library) HasLogo(id string) bool { return l.logos.get(id) != nil }

// Logo returns a channel's logo if it was put or asked for since the program began.
// It never looks at the disk: there may be thousands.
func (l *Library) Logo(id string) image.Image { return l.logos.peek(id) }

// Poster returns a channel's poster, or nil. Callers do not change it. The first
// time it comes from the disk, which takes some milliseconds.
func (l *Library) Poster(id string) image.Image { return l.posters.get(id) }

// PosterFile is where a channel's poster is on the disk; "": there is none.
func (l *Library) PosterFile(id string) string {
	if l.posters.get(id) == nil {
		return ""
	}
	return l.posters.name(id)
}

// decodePicture reads a picture, and refuses it before it takes much memory.
func decodePicture(r io.Reader) (image.Image, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxPicture+1))
	if err != nil {
		return nil, err
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || len(b) > maxPicture || format != "png" && format != "jpeg" ||
		c.Width < 1 || c.Height < 1 || c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > maxPixels {
		return nil, errPicture
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, errPicture
	}
	return img, nil
}

const posterEnd = ".png"

func (p *posters) name(id string) string { return filepath.Join(p.folder, id+posterEnd) }

// scan looks at the folder, once; mu is held.
func (p *posters) scan() {
	if p.have != nil {
		return
	}
	p.have = map[string]*poster{}
	entries, _ := os.ReadDir(p.folder)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if id, ok := strings.CutSuffix(e.Name(), posterEnd); ok {
			p.have[id] = &poster{put: info.ModTime()}
		} else {
			os.Remove(filepath.Join(p.folder, e.Name())) // half written, when we were killed
		}
	}
	p.bound()
}

// put writes a poster. A picture is soon made again, so nothing is synced, but
// the file is whole or not there.
func (p *posters) put(id string, img image.Image) error {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scan()
	if err := os.MkdirAll(p.folder, 0o700); err != nil {
		return err
	}
	half := filepath.Join(p.folder, id+".new")
	if err := os.WriteFile(half, b.Bytes(), 0o600); err != nil {
		os.Remove(half)
		return err
	}
	if err := os.Rename(half, p.name(id)); err != nil {
		os.Remove(half)
		return err
	}
	p.have[id] = &poster{time.Now(), img}
	p.bound()
	return nil
}

func (p *posters) get(id string) image.Image {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scan()
	have := p.have[id]
	if have == nil {
		return nil
	}
	if have.img == nil {
		img, err := p.read(id)
		if err != nil { // damaged: it will be made again
			delete(p.have, id)
			os.Remove(p.name(id))
			return nil
		}
		have.img = img
	}
	return have.img
}

func (p *posters) peek(id string) image.Image {
	p.mu.Lock()
	defer p.mu.Unlock()
	if have := p.have[id]; have != nil {
		return have.img
	}
	return nil
}

func (p *posters) read(id string) (image.Image, error) {
	f, err := os.Open(p.name(id))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, err := decodePicture(f)
	if err != nil {
		return nil, err
	}
	return Shrink(img), nil // also if another program put it there
}

func (p *posters) remove(id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scan()
	delete(p.have, id)
	return remove(p.name(id))
}

// bound removes the posters that are too many, those that were put first; mu is
// held.
func (p *posters) bound() {
	if len(p.have) <= maxPosters {
		return
	}
	ids := slices.SortedFunc(maps.Keys(p.have), func(a, b string) int { return p.have[a].put.Compare(p.have[b].put) })
	for _, id := range ids[:len(ids)-maxPosters] {
		delete(p.have, id)
		_ = remove(p.name(id)) // if it cannot be, it is tried at the next start
	}
}
