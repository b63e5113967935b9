package library

import (
	"bytes"
	"container/list"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // pictures come as one of these
	"image/png"
	"io"
	"os"
	"path/filepath"
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
	// maxPosters bounds the folder, at about 60 KB each.
	maxPosters = 500
	// maxDecoded bounds the posters in memory, at 225 KiB each.
	maxDecoded = 128
)

var errPicture = errors.New("not a PNG or JPEG picture of ordinary size")

// posters is a folder of pictures, with those used last in memory.
type posters struct {
	folder string

	mu     sync.Mutex
	have   map[string]time.Time // when each was put; nil: the folder was not looked at yet
	cached map[string]*list.Element
	recent *list.List // of cachedPoster, used last in front
}

type cachedPoster struct {
	id  string
	img image.Image
}

func newPosters(folder string) posters {
	return posters{folder: folder, cached: map[string]*list.Element{}, recent: list.New()}
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

// Poster returns a channel's poster, or nil. Callers do not change it. What was
// used last comes from memory, the rest from the disk, which takes milliseconds:
// ask when Revision has changed, for what is looked at, not at each drawing.
func (l *Library) Poster(id string) image.Image { return l.posters.get(id) }

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
	p.have = map[string]time.Time{}
	entries, _ := os.ReadDir(p.folder)
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), posterEnd)
		if info, err := e.Info(); err == nil && ok && info.Mode().IsRegular() {
			p.have[id] = info.ModTime()
		} else if err == nil && info.Mode().IsRegular() {
			os.Remove(filepath.Join(p.folder, e.Name())) // half written, when we were killed
		}
	}
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
	p.have[id] = time.Now()
	p.forgetCached(id)
	p.cache(id, img)
	for len(p.have) > maxPosters {
		p.removeOldest()
	}
	return nil
}

func (p *posters) get(id string) image.Image {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.cached[id]; e != nil {
		p.recent.MoveToFront(e)
		return e.Value.(cachedPoster).img
	}
	p.scan()
	if _, ok := p.have[id]; !ok {
		return nil
	}
	img, err := p.read(id)
	if err != nil { // damaged: it will be made again
		delete(p.have, id)
		os.Remove(p.name(id))
		return nil
	}
	p.cache(id, img)
	return img
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
	p.forgetCached(id)
	delete(p.have, id)
	return remove(p.name(id))
}

// removeOldest removes the poster that was put first; mu is held.
func (p *posters) removeOldest() {
	oldest := ""
	for id, at := range p.have {
		if oldest == "" || at.Before(p.have[oldest]) || at.Equal(p.have[oldest]) && id < oldest {
			oldest = id
		}
	}
	p.forgetCached(oldest)
	delete(p.have, oldest)
	_ = remove(p.name(oldest)) // if it cannot be removed it is tried at the next start
}

func (p *posters) cache(id string, img image.Image) {
	p.cached[id] = p.recent.PushFront(cachedPoster{id, img})
	if p.recent.Len() > maxDecoded {
		p.forgetCached(p.recent.Back().Value.(cachedPoster).id)
	}
}

func (p *posters) forgetCached(id string) {
	if e := p.cached[id]; e != nil {
		p.recent.Remove(e)
		delete(p.cached, id)
	}
}
