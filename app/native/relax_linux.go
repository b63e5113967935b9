package native

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Mapped lists the files that the process has mapped: itself and its libraries.
func Mapped() []string {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil
	}
	var files []string
	for line := range strings.Lines(string(maps)) {
		if f := strings.Fields(line); len(f) == 6 && strings.HasPrefix(f[5], "/") {
			files = append(files, f[5])
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// Relax takes the pages of files, and of the libraries that draw, out of the
// process: they are unchanged copies, and come back from there when they are used.
// It is for a program that rests in the tray. The files must stay mapped for as long
// as the program runs: what takes a library's place must not be touched.
func Relax(files []string) error {
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer maps.Close()
	stays := func(file string) bool { return slices.Contains(files, file) || draws(filepath.Base(file)) }
	for _, m := range unchanged(maps, stays) {
		if _, _, no := unix.Syscall(unix.SYS_MADVISE, m.at, m.size, unix.MADV_DONTNEED); no != 0 {
			return no
		}
	}
	return nil
}

// draws reports whether a library is one of OpenGL's, which come with the window.
func draws(name string) bool {
	return strings.HasPrefix(name, "libLLVM") || strings.HasPrefix(name, "libgallium") || strings.HasSuffix(name, "_dri.so")
}

type mapping struct{ at, size uintptr }

// unchanged finds in Linux's description of a process (proc(5), smaps) the mappings
// of files that cannot be written to and hold no page of the process's own.
func unchanged(smaps io.Reader, of func(file string) bool) (all []mapping) {
	var m mapping // that the lines are about; of no size: one that is not wanted
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		line := lines.Bytes() // as text it would leave megabytes of garbage
		if rest, ok := bytes.CutPrefix(line, []byte("Anonymous:")); ok && m.size > 0 && string(bytes.TrimSpace(rest)) == "0 kB" {
			all = append(all, m)
		}
		if len(line) == 0 || 'A' <= line[0] && line[0] <= 'Z' {
			continue
		}
		m = mapping{}
		f := strings.Fields(string(line))
		begin, end, _ := strings.Cut(f[0], "-")
		from, err1 := strconv.ParseUint(begin, 16, 64)
		to, err2 := strconv.ParseUint(end, 16, 64)
		if err1 == nil && err2 == nil && to > from && len(f) == 6 && (f[1] == "r-xp" || f[1] == "r--p") && of(f[5]) {
			m = mapping{uintptr(from), uintptr(to - from)}
		}
	}
	return all
}
