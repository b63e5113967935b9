//go:build ignore

// Make draws the demo clip and writes it to demo/ as fragmented MP4: a small
// reef that sways, bubbles that rise, a dial that turns once a loop, and soft
// tones. Everything in it has a period that divides the loop, so that the last
// frame leads into the first and the clip can run for ever.
//
// It needs ffmpeg with libx264, which only who redraws the clip needs:
//
//	go generate ./assets
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
)

const (
	width, height = 640, 360
	rate          = 25 // frames a second
	loop          = 24 // seconds: a whole number of AAC frames (1125) and of segments
	segment       = 2  // seconds
	sampling      = 48000
)

func main() {
	log.SetFlags(0)
	still := flag.String("still", "", "write the frame at -at seconds to this PNG and stop")
	at := flag.Float64("at", 7.3, "the second that -still shows")
	flag.Parse()
	if err := run(*still, *at); err != nil {
		log.Fatal("make: ", err)
	}
}

func run(still string, at float64) error {
	if still != "" {
		cmd := exec.Command("ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
			"-s", fmt.Sprintf("%dx%d", width, height), "-i", "-", still)
		cmd.Stdin, cmd.Stderr = bytes.NewReader(draw(at)), os.Stderr
		return cmd.Run()
	}
	dir, err := os.MkdirTemp("", "coral-clip")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := writeTones(filepath.Join(dir, "tones.wav")); err != nil {
		return err
	}
	if err := encode(dir); err != nil {
		return err
	}
	return cut(dir, "demo")
}

// encode writes three loops as HLS. The middle one is kept: its first sound
// frame already overlaps with the end of a loop before it, so that no click is
// heard where loops meet.
func encode(dir string) error {
	cmd := exec.Command("ffmpeg", "-v", "error", "-y",
		"-f", "rawvideo", "-pix_fmt", "rgb24", "-s", fmt.Sprintf("%dx%d", width, height),
		"-framerate", fmt.Sprint(rate), "-i", "-",
		"-i", filepath.Join(dir, "tones.wav"),
		"-map", "0:v", "-map", "1:a",
		"-c:v", "libx264", "-profile:v", "main", "-level", "3.0", "-pix_fmt", "yuv420p",
		"-preset", "veryslow", "-tune", "animation", "-bf", "0",
		"-b:v", "320k", "-maxrate", "400k", "-bufsize", "800k",
		"-g", fmt.Sprint(rate*segment), "-keyint_min", fmt.Sprint(rate*segment), "-sc_threshold", "0",
		"-c:a", "aac", "-b:a", "64k", "-ar", fmt.Sprint(sampling),
		"-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", fmt.Sprint(segment),
		"-hls_playlist_type", "vod", "-hls_fmp4_init_filename", "init.mp4",
		"-hls_segment_filename", filepath.Join(dir, "%03d.m4s"), filepath.Join(dir, "clip.m3u8"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	frames := drawAll()
	w := bufio.NewWriterSize(in, 1<<20)
	for range 3 {
		for _, f := range frames {
			w.Write(f)
		}
	}
	return errors.Join(w.Flush(), in.Close(), cmd.Wait())
}

// cut keeps the middle loop, without the segment indexes that the origin would
// have to rewrite, and checks that the loops are exactly one loop apart.
func cut(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	init, err := os.ReadFile(filepath.Join(from, "init.mp4"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(to, "init.mp4"), init, 0o644); err != nil {
		return err
	}
	const n = loop / segment
	size := len(init)
	for i := range n {
		seg, err := os.ReadFile(filepath.Join(from, fmt.Sprintf("%03d.m4s", n+i)))
		if err != nil {
			return err
		}
		next, err := os.ReadFile(filepath.Join(from, fmt.Sprintf("%03d.m4s", 2*n+i)))
		if err != nil {
			return err
		}
		a, b := starts(seg), starts(next)
		if len(a) != 2 || len(b) != 2 || b[0]-a[0] != loop*rate*512 || b[1]-a[1] != loop*sampling {
			return fmt.Errorf("segment %d: loops do not meet: %v then %v", i, a, b)
		}
		seg = without(seg, "sidx")
		size += len(seg)
		if err := os.WriteFile(filepath.Join(to, fmt.Sprintf("%03d.m4s", i)), seg, 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%d segments, %d bytes, %.0f kbit/s\n", n, size, float64(size)*8/loop/1000)
	return nil
}

// starts gives the base decode times in one media segment.
func starts(seg []byte) (t []uint64) {
	for rest := seg; ; {
		i := bytes.Index(rest, []byte("tfdt\x01"))
		if i < 0 {
			return t
		}
		t = append(t, binary.BigEndian.Uint64(rest[i+8:]))
		rest = rest[i+16:]
	}
}

// without leaves out the top-level boxes of one type.
func without(b []byte, name string) (out []byte) {
	for len(b) >= 8 {
		n := int(binary.BigEndian.Uint32(b))
		if n < 8 || n > len(b) {
			return append(out, b...)
		}
		if string(b[4:8]) != name {
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return out
}

// drawAll draws one loop on all cores.
func drawAll() [][]byte {
	frames := make([][]byte, loop*rate)
	var wg sync.WaitGroup
	for w := range runtime.NumCPU() {
		wg.Go(func() {
			for i := w; i < len(frames); i += runtime.NumCPU() {
				frames[i] = draw(float64(i) / rate)
			}
		})
	}
	wg.Wait()
	return frames
}

// The tones: four chords of six seconds that melt into each other, and a bell
// on each segment's first beat.
var chords = [4][4]float64{
	{130.81, 196.00, 261.63, 329.63}, // C
	{110.00, 164.81, 261.63, 329.63}, // A minor
	{87.31, 174.61, 220.00, 349.23},  // F
	{98.00, 146.83, 246.94, 293.66},  // G
}

var bells = [12]float64{659.26, 783.99, 523.25, 659.26, 880.00, 659.26, 698.46, 880.00, 587.33, 783.99, 987.77, 587.33}

// periodic rounds a pitch to one that fits the loop a whole number of times.
func periodic(f float64) float64 { return math.Round(f*loop) / loop }

func tone(t, side float64) float64 {
	v := 0.0
	for c, notes := range chords {
		// Each chord swells over eight seconds around the middle of its six.
		d := math.Mod(t-(6*float64(c)+3)+1.5*loop, loop) - loop/2
		if math.Abs(d) >= 4.5 {
			continue
		}
		swell := math.Pow(math.Cos(d/4.5*math.Pi/2), 2)
		for i, f := range notes {
			f = periodic(f)
			breath := 1 + 0.25*math.Sin(2*math.Pi*(t*float64(3+i)/loop+side*0.2))
			v += 0.055 * swell * breath * (math.Sin(2*math.Pi*f*t) + 0.3*math.Sin(4*math.Pi*f*t+side) + 0.08*math.Sin(6*math.Pi*f*t))
		}
	}
	for i, f := range bells {
		d := math.Mod(t-float64(i)*segment+loop, loop)
		if d < 5 {
			v += 0.05 * math.Min(d/0.01, 1) * math.Exp(-d*1.3) * (math.Sin(2*math.Pi*f*d) + 0.25*math.Exp(-d*3)*math.Sin(2*math.Pi*2.76*f*d))
		}
	}
	return v
}

func writeTones(name string) error {
	const n = 3 * loop * sampling
	var b bytes.Buffer
	b.WriteString("RIFF")
	le := binary.LittleEndian
	binary.Write(&b, le, uint32(36+n*4))
	b.WriteString("WAVEfmt ")
	binary.Write(&b, le, uint32(16))
	binary.Write(&b, le, []uint16{1, 2})
	binary.Write(&b, le, []uint32{sampling, sampling * 4})
	binary.Write(&b, le, []uint16{4, 16})
	b.WriteString("data")
	binary.Write(&b, le, uint32(n*4))
	one := make([]byte, 0, n*4/3)
	for i := range loop * sampling {
		t := float64(i) / sampling
		for _, side := range []float64{0, 1} {
			one = le.AppendUint16(one, uint16(int16(32000*math.Tanh(tone(t, side)))))
		}
	}
	for range 3 {
		b.Write(one)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, &b)
	return errors.Join(err, f.Close())
}
