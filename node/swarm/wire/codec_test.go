package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"coral/store/segment"
)

var (
	media = segment.ID{Rendition: 3, Sequence: 300}
	first = segment.ID{Kind: segment.Init}
)

func samples() map[string]Message {
	part := segment.NewBitmap(70)
	part.Set(0)
	part.Set(69)
	return map[string]Message{
		"hello": &Hello{
			Version: 1, Role: Publisher, Nonce: [16]byte{1}, Auth: [32]byte{2}, Uploads: true,
			Renditions: []uint16{0, 65535}, Agent: "coral/1",
		},
		"hello bare":    &Hello{Version: 1},
		"watching":      &Watching{Uploads: true, Renditions: []uint16{7}},
		"watching none": &Watching{},
		"records":       &Records{Records: [][]byte{[]byte("one"), bytes.Repeat([]byte{9}, 500)}},
		"window":        &Window{Rendition: 2, From: math.MaxUint64},
		"window all":    &Window{All: true},
		"have":          &Have{ID: media, Blocks: 70, Held: part, Fetching: segment.NewBitmap(70)},
		"have full":     &Have{ID: first, Blocks: 1024, Held: segment.FullBitmap(1024), Fetching: segment.NewBitmap(1024)},
		"request":       &Request{ID: media, Block: 1023, Due: math.MaxUint32},
		"cancel":        &Cancel{ID: media, Block: 128},
		"block":         &Block{ID: media, Block: 1, Data: bytes.Repeat([]byte{5}, segment.BlockSize)},
		"refuse":        &Refuse{ID: media, Block: 1, Reason: Elsewhere},
		"claim":         &Claim{ID: media, Round: 2, TTL: 3, First: 1000, Count: 24, Claimant: 1 << 63},
		"ping":          &Ping{Token: 1 << 40},
		"pong":          &Pong{},
		"bye":           &Bye{},
	}
}

func TestRoundTrip(t *testing.T) {
	for name, m := range samples() {
		b := Append([]byte("kept"), m)
		if !bytes.HasPrefix(b, []byte("kept")) {
			t.Fatalf("%s: Append lost dst", name)
		}
		b = b[4:]
		got, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("%s: got %+v, want %+v", name, got, m)
		}
		if _, err := Parse(append(b[:len(b):len(b)], 0)); err == nil && name != "block" && !strings.HasPrefix(name, "block") {
			t.Errorf("%s: a byte too many was taken", name)
		}
		for i := range b {
			if got, err := Parse(b[:i]); err == nil && name != "block" {
				t.Errorf("%s: cut to %d bytes: taken as %+v", name, i, got)
				break
			}
		}
	}
}

// Bytes as they are on the wire: these must never change within Version 1.
func TestVectors(t *testing.T) {
	held := segment.NewBitmap(10)
	held.Set(0)
	held.Set(9)
	for want, m := range map[string]Message{
		"06" + "03" + "00" + "ac02" + "05" + "dc0b":        &Request{ID: media, Block: 5, Due: 1500},
		"05" + "00" + "01" + "00" + "0a" + "0102" + "0000": &Have{ID: first, Blocks: 10, Held: held},
		"08" + "03" + "00" + "ac02" + "00" + "ff":          &Block{ID: media, Data: []byte{255}},
		"0b" + "0000000000000001":                          &Ping{Token: 1},
		"0d":                                               &Bye{},
		"03" + "01" + "02" + "6869":                        &Records{Records: [][]byte{[]byte("hi")}},
		"0a" + "03" + "00" + "ac02" + "0102" + "00" + "04" + "00000000000000ff": &Claim{ID: media, Round: 1, TTL: 2, Count: 4, Claimant: 255},
	} {
		if got := hex.EncodeToString(Append(nil, m)); got != want {
			t.Errorf("%T: got %s, want %s", m, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty":               {},
		"long uvarint":        {kindCancel, 0x80, 0, 0, 0, 0},
		"rendition too large": {kindCancel, 0x80, 0x80, 4, 0, 0, 0},
		"kind":                {kindCancel, 0, 2, 0, 0},
		"block number":        {kindCancel, 0, 0, 0, 0x80, 8},
		"set past the end":    {kindHave, 0, 0, 0, 1, 2, 0},
		"no blocks":           {kindHave, 0, 0, 0, 0},
		"too many blocks":     append([]byte{kindHave, 0, 0, 0, 0x81, 8}, make([]byte, 258)...),
		"bool":                {kindWindow, 2, 0, 0},
		"no records":          {kindRecords, 0},
		"empty record":        {kindRecords, 1, 0},
		"reason":              {kindRefuse, 0, 0, 0, 0, byte(Elsewhere) + 1},
		"claim of nothing":    Append(nil, &Claim{ID: media}),
		"claim past the end":  Append(nil, &Claim{ID: media, First: 1023, Count: 2}),
		"empty block":         Append(nil, &Block{ID: media}),
		"block too long":      Append(nil, &Block{ID: media, Data: make([]byte, segment.BlockSize+1)}),
		"message too long":    Append(nil, &Records{Records: [][]byte{make([]byte, MaxMessage)}}),
		"hello version 0":     Append(nil, &Hello{}),
		"hello role":          Append(nil, &Hello{Version: 1, Role: 9}),
		"hello agent":         Append(nil, &Hello{Version: 1, Agent: "\xff"}),
		"hello agent long":    Append(nil, &Hello{Version: 1, Agent: strings.Repeat("a", MaxAgent+1)}),
		"renditions":          Append(nil, &Watching{Renditions: make([]uint16, MaxRenditions+1)}),
	} {
		if m, err := Parse(b); err == nil || errors.Is(err, ErrUnknown) {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
	}
	if _, err := Parse([]byte{kindEnd}); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown type: %v", err)
	}
}

func TestLaterHello(t *testing.T) {
	b := append(Append(nil, &Hello{Version: 2, Role: 200, Agent: "next"}), "more"...)
	m, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if h := m.(*Hello); h.Version != 2 || h.Agent != "next" {
		t.Errorf("got %+v", h)
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range samples() {
		f.Add(Append(nil, m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			if m != nil {
				t.Fatal("message with an error")
			}
			return
		}
		if h, ok := m.(*Hello); ok && h.Version > Version {
			return
		}
		if again := Append(nil, m); !bytes.Equal(again, b) {
			t.Fatalf("not canonical: %x became %x", b, again)
		}
	})
}

func BenchmarkParseHave(b *testing.B) {
	raw := Append(nil, &Have{ID: media, Blocks: 40, Held: segment.FullBitmap(40), Fetching: segment.NewBitmap(40)})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func TestBlockHead(t *testing.T) {
	for name, m := range samples() {
		b := Append(nil, m)
		want, isBlock := m.(*Block)
		for n := range len(b) + 1 {
			id, block, ok := BlockHead(b[:n])
			if ok && !isBlock || ok && (id != want.ID || block != want.Block) || !ok && isBlock && len(b)-n <= len(want.Data) {
				t.Fatalf("%s, %d of %d bytes: %v.%d, %v", name, n, len(b), id, block, ok)
			}
		}
	}
}
