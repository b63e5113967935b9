package publish

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"coral/store/segment"
)

const (
	chainsDir = "chains"
	// journalHead is a journal's first line. Each further one is a CRC-32C in
	// hexadecimal, a space, and a mark as JSON.
	journalHead = "coral chain 1\n"
	// maxLine bounds a line: a record of 48 KiB in base64, and the rest.
	maxLine = 128 << 10
	// jump is how far Index and Sequence leap when a journal was damaged: past
	// all that can have been signed and is not known any more. Two years of
	// one-minute segments, or twelve days of segments of a second; a journal
	// loses its tail, not its history.
	jump = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// journal is the file of one chain. A line that was not written to its end was
// never published; any other damage makes the chain leap.
type journal struct {
	disk  *disk
	name  string
	f     *os.File // nil: to be opened anew
	good  int64    // length of the whole lines
	lines int
	torn  bool // what is behind good must be cut off first
}

func journalName(id uint16) string {
	return filepath.Join(chainsDir, strconv.Itoa(int(id))+".log")
}

func haveJournal(d *disk, id uint16) bool {
	_, err := os.Stat(filepath.Join(d.path, journalName(id)))
	return !errors.Is(err, fs.ErrNotExist)
}

// openJournal opens or makes the journal of a chain, and returns its marks,
// oldest first. damaged says that there were others that cannot be read.
func openJournal(d *disk, id uint16) (j *journal, marks []*mark, damaged bool, err error) {
	j = &journal{disk: d, name: journalName(id)}
	path := filepath.Join(d.path, j.name)
	j.f, err = os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if err = j.rewrite(nil); err != nil {
			return nil, nil, false, err
		}
		return j, nil, false, nil
	}
	if err != nil {
		return nil, nil, false, fmt.Errorf("open chain: %w", err)
	}
	marks, damaged, err = j.load()
	if err != nil {
		j.close()
		return nil, nil, false, fmt.Errorf("open chain %s: %w", j.name, err)
	}
	if damaged { // kept for whoever wants to look
		if err := copyFile(path, path+".damaged"); err != nil {
			j.close()
			return nil, nil, false, fmt.Errorf("open chain %s: %w", j.name, err)
		}
	}
	return j, marks, damaged, nil
}

func (j *journal) load() (marks []*mark, damaged bool, err error) {
	r := bufio.NewReaderSize(j.f, maxLine)
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		switch {
		case err == io.EOF && first:
			// Not even a first line: such a file is never made.
			return nil, true, nil
		case err == io.EOF:
			j.torn = len(line) > 0
			return marks, false, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return marks, true, nil
		case err != nil:
			return nil, false, err
		}
		if first {
			if string(line) != journalHead {
				return nil, true, nil
			}
		} else {
			m, ok := parseLine(line)
			if !ok || len(marks) > 0 && m.Index <= marks[len(marks)-1].Index {
				return marks, true, nil
			}
			marks = append(marks, m)
		}
		j.good += int64(len(line))
		j.lines++
	}
}

func parseLine(line []byte) (*mark, bool) {
	sum, body, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(sum) != 8 {
		return nil, false
	}
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || uint32(want) != crc32.Checksum(body, castagnoli) {
		return nil, false
	}
	m := new(mark)
	if json.Unmarshal(body, m) != nil || !m.End && !m.Jump && len(m.Root) != len(segment.Digest{}) {
		return nil, false
	}
	return m, true
}

func formatLine(m *mark) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	body = append(body, '\n')
	if len(body)+9 > maxLine {
		return nil, errors.New("record is too large")
	}
	return fmt.Appendf(nil, "%08x %s", crc32.Checksum(body, castagnoli), body), nil
}

// append adds a mark: once it returns nil, the mark survives whatever happens.
// After an error it has not happened, and may be tried again.
func (j *journal) append(m *mark) error {
	if err := j.add(m); err != nil {
		return fmt.Errorf("write chain %s: %w", j.name, err)
	}
	return nil
}

func (j *journal) add(m *mark) error {
	line, err := formatLine(m)
	if err != nil {
		return err
	}
	if j.f == nil {
		if err := j.reopen(); err != nil {
			return err
		}
	}
	if j.torn {
		if err := j.disk.at("cut " + j.name); err != nil {
			return err
		}
		if err := j.f.Truncate(j.good); err != nil {
			return err
		}
	}
	j.torn = true
	if err := j.disk.at("append " + j.name); err != nil {
		// Where a test kills the program, half the line gets written.
		j.f.WriteAt(line[:len(line)/2], j.good)
		return err
	}
	if _, err := j.f.WriteAt(line, j.good); err != nil {
		return err
	}
	if err := j.disk.at("sync " + j.name); err != nil {
		return err
	}
	if err := j.f.Sync(); err != nil {
		return err
	}
	j.torn = false
	j.good += int64(len(line))
	j.lines++
	return nil
}

// rewrite replaces all lines.
func (j *journal) rewrite(marks []*mark) error {
	// Whether it comes to the rename or not, what the old handle names is not to
	// be written to: it may be a file that no restart will find. (And Windows
	// replaces no file that is open.)
	j.close()
	err := j.disk.replace(j.name, func(w io.Writer) error {
		if _, err := io.WriteString(w, journalHead); err != nil {
			return err
		}
		for _, m := range marks {
			line, err := formatLine(m)
			if err != nil {
				return err
			}
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return j.reopen()
}

// reopen opens the file anew and finds its end.
func (j *journal) reopen() error {
	f, err := os.OpenFile(filepath.Join(j.disk.path, j.name), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open chain: %w", err)
	}
	j.f, j.good, j.lines, j.torn = f, 0, 0, false
	_, damaged, err := j.load()
	if err == nil && damaged {
		err = errors.New("damaged")
	}
	if err != nil {
		j.close()
		return fmt.Errorf("open chain %s: %w", j.name, err)
	}
	return nil
}

func (j *journal) close() {
	if j.f != nil {
		j.f.Close()
		j.f = nil
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
