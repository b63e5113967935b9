package screen

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// The strip: a magenta cell, the bits of the number with the least first, the same
// bits inverted, a green cell. Nothing else of the film has these colours.
const (
	bits      = 12
	cells     = 2*bits + 2
	cell      = 10 // pixels wide at the film's own size
	stripHigh = 40
)

// Film is a film whose pictures tell their numbers.
type Film struct {
	Wide, High int
	Rate       int           // pictures a second
	Length     time.Duration // at most 4096 pictures
	Segment    time.Duration // of HLS
	BitRate    string        // of the picture, in ffmpeg's words
}

// Pictures is how many the film has.
func (f Film) Pictures() int { return int(f.Length.Seconds() * float64(f.Rate)) }

// Write makes the film: the segments NNNN.ts in a folder.
func (f Film) Write(ctx context.Context, dir string) error {
	// One pixel for each cell, made larger then: expressions are slow.
	bit := fmt.Sprintf("255*mod(floor(N/pow(2,mod(X-1,%d))),2)", bits)
	value := fmt.Sprintf("if(lt(X,%d),%s,255-%s)", bits+1, bit, bit)
	channel := func(first, last int) string {
		return fmt.Sprintf("if(lt(X,1),%d,if(gte(X,%d),%d,%s))", first, cells-1, last, value)
	}
	gop := fmt.Sprint(int(f.Segment.Seconds() * float64(f.Rate)))
	cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-v", "error",
		"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=%dx%d:r=%d,hue=s=0.3", f.Wide, f.High, f.Rate),
		"-f", "lavfi", "-i", fmt.Sprintf("color=black:s=%dx2:r=%d,format=gbrp,geq=r='%s':g='%s':b='%s',scale=%d:%d:flags=neighbor",
			cells, f.Rate, channel(255, 0), channel(0, 255), channel(255, 0), cells*cell, stripHigh),
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
		"-filter_complex", "[0][1]overlay=(W-w)/2:(H-h)/2,format=yuv420p[v]", "-map", "[v]", "-map", "2",
		"-t", fmt.Sprint(f.Length.Seconds()),
		"-c:v", "libx264", "-preset", "veryfast", "-b:v", f.BitRate, "-maxrate", f.BitRate, "-bufsize", f.BitRate,
		"-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-c:a", "aac", "-b:a", "96k",
		"-f", "segment", "-segment_time", fmt.Sprint(f.Segment.Seconds()), "-segment_format", "mpegts", dir+"/%04d.ts")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make a film: %w\n%s", err, out)
	}
	return nil
}
