package system

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// A handover proves to both sides that the other could read the address file,
// without sending the key: the port may be a stranger's by now, and any program
// of this machine can connect to ours.
//
//	first  → second  nonce A (32 bytes)
//	second → first   nonce B
//	first  → second  HMAC-SHA256(key, "coral first" A B)
//	second → first   length (4 bytes), message, HMAC-SHA256(key, "coral second" A B message)
//	first  → second  one byte: the app has it
const (
	nonceLen = 32
	// maxHandover bounds the arguments as JSON: some of the longest links, or a
	// good many files.
	maxHandover = 256 << 10
	taken       = 'k'
)

var errStranger = errors.New("who answers there is not Coral")

// encodeArgs keeps every byte: file names need not be UTF-8.
func encodeArgs(args []string) ([]byte, error) {
	raw := make([][]byte, 0, len(args))
	for _, a := range args {
		raw = append(raw, []byte(a))
	}
	b, err := json.Marshal(raw)
	if err == nil && len(b) > maxHandover {
		err = fmt.Errorf("arguments of %d bytes are too long", len(b))
	}
	return b, err
}

func decodeArgs(b []byte) (args []string, err error) {
	var raw [][]byte
	err = json.Unmarshal(b, &raw)
	for _, a := range raw {
		args = append(args, string(a))
	}
	return args, err
}

func proof(key []byte, who string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = io.WriteString(h, who)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// handOver sends message to the first program and waits until its app has it.
func handOver(address string, key, message []byte, timeout time.Duration) error {
	letItRise()
	c, err := net.DialTimeout("tcp4", address, timeout)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(timeout))
	a, b, theirs := make([]byte, nonceLen), make([]byte, nonceLen), make([]byte, sha256.Size)
	_, _ = rand.Read(b)
	if _, err := io.ReadFull(c, a); err != nil {
		return ended(err)
	}
	if _, err := c.Write(b); err != nil {
		return ended(err)
	}
	if _, err := io.ReadFull(c, theirs); err != nil {
		return ended(err)
	}
	if !hmac.Equal(theirs, proof(key, "coral first", a, b)) {
		return errStranger
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(message)))
	out = append(out, message...)
	out = append(out, proof(key, "coral second", a, b, message)...)
	if _, err := c.Write(out); err != nil {
		return ended(err)
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(c, answer); err != nil {
		return ended(err)
	}
	return nil
}

// ended tells apart a program that hangs, which is worth no second try, from one
// that closed.
func ended(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("it hangs: %w", err)
	}
	return fmt.Errorf("it hung up: %w", err)
}

// hear takes one handover and passes it to the app.
func (i *Instance) hear(ctx context.Context, c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(i.timeout))
	a, b := make([]byte, nonceLen), make([]byte, nonceLen)
	_, _ = rand.Read(a)
	if _, err := c.Write(a); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	if _, err := c.Write(proof(i.key, "coral first", a, b)); err != nil {
		return err
	}
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxHandover {
		return fmt.Errorf("message of %d bytes", n)
	}
	message := make([]byte, n+sha256.Size)
	if _, err := io.ReadFull(c, message); err != nil {
		return err
	}
	message, theirs := message[:n], message[n:]
	if !hmac.Equal(theirs, proof(i.key, "coral second", a, b, message)) {
		return errStranger
	}
	args, err := decodeArgs(message)
	if err != nil {
		return err
	}
	busy := time.NewTimer(i.timeout / 2) // the other one gives up later than we do
	defer busy.Stop()
	select {
	case i.opened <- args:
	case <-busy.C:
		return errors.New("the app is busy")
	case <-ctx.Done():
		return ctx.Err()
	}
	_, err = c.Write([]byte{taken})
	return err
}
