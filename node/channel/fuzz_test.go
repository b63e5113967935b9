package channel

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

func FuzzParseLink(f *testing.F) {
	names, values := vectors()
	for i, name := range names {
		if bytes.Contains([]byte(name), []byte("link")) || bytes.Contains([]byte(name), []byte("uri")) {
			f.Add(string(values[i]))
		}
	}
	f.Add("https://o.example/x.m3u8?a=b#c")
	f.Add("coral://?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH&tr=udp://a:1&x.pe=[::1]:5&as=http://x/%20")
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLink(s)
		if err != nil {
			return
		}
		for _, text := range []string{l.String(), l.URI()} {
			again, err := ParseLink(text)
			if len(text) > MaxLink && l.Playlist == "" || err != nil {
				t.Fatalf("%q became %q: %v", s, text, err)
			}
			// Hints may have been left out for want of room.
			if len(s) < MaxLink/8 && !reflect.DeepEqual(again, l) {
				t.Fatalf("%q: %+v became %+v", s, l, again)
			}
			if !reflect.DeepEqual(again.Descriptor, l.Descriptor) || again.Channel != l.Channel {
				t.Fatalf("%q: %+v became %+v", s, l, again)
			}
		}
		if d := l.Descriptor; d != nil && (d.Check() != nil || d.Channel() != l.Channel) {
			t.Fatalf("%q: bad descriptor %+v", s, d)
		}
	})
}

func FuzzParseInfo(f *testing.F) {
	f.Add(publicChannel.Info())
	f.Add(privateChannel.Info())
	f.Add([]byte("d5:corald1:vi1eee"))
	f.Fuzz(func(t *testing.T, info []byte) {
		d, err := ParseInfo(info)
		if err != nil {
			return
		}
		if !bytes.Equal(d.Info(), info) || d.Check() != nil {
			t.Fatalf("%q became %q", info, d.Info())
		}
		l := d.Link()
		if d.Private {
			return // its secret is not known
		}
		if again, err := ParseLink(l.String()); err != nil || !reflect.DeepEqual(again, l) {
			t.Fatalf("%q: %+v, %v", l, again, err)
		}
	})
}

func FuzzParseTorrent(f *testing.F) {
	names, values := vectors()
	for i, name := range names {
		if bytes.HasSuffix([]byte(name), []byte("torrent")) {
			f.Add(values[i])
		}
	}
	f.Add([]byte("d8:announce10:http://t/a4:infod6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseTorrent(b)
		if err != nil || l.Descriptor == nil {
			return
		}
		again, err := l.Torrent()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseTorrent(again); err != nil || !reflect.DeepEqual(got, l) {
			t.Fatalf("%+v became %+v, %v", l, got, err)
		}
	})
}

// FuzzFeed adds records in turn: pairs of a length and a body, which is signed
// as its type asks so that what lies behind the signature is reached too.
func FuzzFeed(f *testing.F) {
	p := newPublisher(f)
	p.present()
	p.init(0, 0)
	p.media(0, needs(0))
	p.media(0, vod)
	p.entry(Entry{End: true})
	pack := func(recs ...[]byte) (b []byte) {
		for _, rec := range recs {
			b = append(b, byte(len(body(rec))>>8), byte(len(body(rec))))
			b = append(b, body(rec)...)
		}
		return b
	}
	f.Add(pack(p.recs...), true)
	f.Add(pack(p.recs...), false)
	f.Add(pack(p.recs[4], p.recs[3], p.recs[2], p.recs[3]), true)
	names, values := vectors()
	for i, name := range names {
		if len(values[i]) > trailerSize && !bytes.ContainsAny([]byte(name), "/") && values[i][0] <= typeEntry {
			f.Add(pack(values[i]), true)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, sign bool) {
		v := newViewer(t, epoch.Add(time.Hour), FeedOptions{Window: 4 * time.Second, MaxEntries: 4, MaxBytes: 8 << 10})
		v.take(p.recs[0])
		for len(data) >= 2 {
			n := min(int(data[0])<<8|int(data[1]), len(data)-2)
			b := bytes.Clone(data[2 : 2+n])
			data = data[2+n:]
			key := liveKey
			if len(b) > 0 && b[0] == typeDelegation {
				key = rootKey
			}
			var rec []byte
			if sign {
				if rec = seal(key, chanID, b); rec == nil {
					continue
				}
			} else {
				rec = append(b, make([]byte, trailerSize)...)
				copy(keyID(rec), public(key))
			}
			u, _ := v.add(rec)
			if u == nil {
				continue
			}
			if !sign {
				t.Fatal("a forged record was taken")
			}
			if u.Entry != nil && !bytes.Equal(u.Entry.encode(), body(rec)) || u.Presentation != nil && !bytes.Equal(u.Presentation.encode(), body(rec)) {
				t.Fatalf("%x is not canonical", body(rec))
			}
			if d, err := parseDelegation(body(rec)); err == nil && !bytes.Equal(d.encode(), body(rec)) {
				t.Fatalf("%x is not canonical", body(rec))
			}
		}
		j := newViewer(t, epoch.Add(time.Hour), FeedOptions{})
		for r := range v.f.chains {
			recs, _ := v.f.Snapshot(r, 0, 1<<20)
			j.take(recs...)
			if !reflect.DeepEqual(j.indices(r), v.indices(r)) {
				t.Fatalf("rendition %d: the joiner has %v of %v", r, j.indices(r), v.indices(r))
			}
		}
	})
}
