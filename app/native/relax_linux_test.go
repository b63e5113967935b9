package native

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestUnchanged(t *testing.T) {
	const smaps = `00400000-00500000 r-xp 00001000 08:01 1 /usr/bin/coral
Size:               1024 kB
Anonymous:             0 kB
00500000-00600000 r--p 00101000 08:01 1 /usr/bin/coral
Anonymous:             4 kB
00600000-00700000 rw-p 00201000 08:01 1 /usr/bin/coral
Anonymous:             0 kB
00700000-00800000 r-xp 00000000 08:01 1 /usr/lib/libother.so
Anonymous:             0 kB
00800000-00900000 r-xp 00000000 00:00 0
Anonymous:             0 kB
00900000-00a00000 r--p 00000000 08:01 1 /usr/bin/coral (deleted)
Anonymous:             0 kB
00a00000-00b00000 r--p 00000000 08:01 1 /usr/bin/coral
Anonymous:             0 kB
`
	got := unchanged(strings.NewReader(smaps), func(file string) bool { return file == "/usr/bin/coral" })
	if want := []mapping{{0x400000, 0x100000}, {0xa00000, 0x100000}}; !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// The program goes on, and has given something back.
func TestRelax(t *testing.T) {
	resident := func() (kib int) {
		b, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			t.Skip(err)
		}
		for _, c := range string(b)[slices.Index(b, ' ')+1:] {
			if c == ' ' {
				return kib * os.Getpagesize() / 1024
			}
			kib = 10*kib + int(c-'0')
		}
		return 0
	}
	before := resident()
	if err := Relax(Mapped()); err != nil {
		t.Fatal(err)
	}
	if after := resident(); after >= before {
		t.Errorf("%d KiB before, %d after", before, after)
	}
}
