package native

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Relax takes the pages of this program and of the large libraries that draw and
// decode out of the process: they are unchanged copies of files, and come back from
// there when they are used. It is for a program that rests in the tray.
func Relax() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	for _, m := range unchanged(maps, func(file string) bool { return file == program || large(filepath.Base(file)) }) {
		if _, _, no := unix.Syscall(unix.SYS_MADVISE, m.at, m.size, unix.MADV_DONTNEED); no != 0 {
			return no
		}
	}
	return nil
}

// large are libraries that stay where they are for as long as the program runs: what
// may be unloaded meanwhile must not be touched.
func large(name string) bool {
	for _, prefix := range []string{"libLLVM", "libgallium", "libmpv", "libavcodec", "libavfilter", "libavformat"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.HasSuffix(name, "_dri.so")
}

type mapping struct{ at, size uintptr }

// unchanged finds in Linux's description of a process (proc(5), smaps) the mappings
// of files that cannot be written to and hold no page of the process's own.
func unchanged(smaps []byte, of func(file string) bool) (all []mapping) {
	var m mapping // that the lines are about; of no size: one that is not wanted
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) == 3 && f[0] == "Anonymous:" && f[1] == "0" && m.size > 0 {
			all = append(all, m)
			m = mapping{}
		}
		if len(f) == 0 || strings.HasSuffix(f[0], ":") {
			continue
		}
		m = mapping{}
		begin, end, _ := strings.Cut(f[0], "-")
		from, err1 := strconv.ParseUint(begin, 16, 64)
		to, err2 := strconv.ParseUint(end, 16, 64)
		if err1 == nil && err2 == nil && to > from && len(f) == 6 && (f[1] == "r-xp" || f[1] == "r--p") && of(f[5]) {
			m = mapping{uintptr(from), uintptr(to - from)}
		}
	}
	return all
}
