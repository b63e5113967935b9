package budget

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestParseRate(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Rate
		out  string
	}{
		{"0", 0, "0"},
		{"800k", 800_000, "800k"},
		{"5M", 5_000_000, "5M"},
		{"1.5M", 1_500_000, "1.5M"},
		{"1G", 1e9, "1G"},
		{"unlimited", Unlimited, "unlimited"},
		{"Unlimited", Unlimited, "unlimited"},
		{" 5 m ", 5_000_000, "5M"},
		{"1234567", 1234567, "1.234567M"},
		{"999", 999, "999"},
		{"0.5k", 500, "500"},
		{"1000G", 1e12, "1000G"},
		{"1.50M", 1_500_000, "1.5M"},
	} {
		got, err := ParseRate(c.in)
		if err != nil || got != c.want || got.String() != c.out {
			t.Errorf("ParseRate(%q) = %v (%s), %v; want %v (%s)", c.in, int64(got), got, err, int64(c.want), c.out)
		}
	}
	for _, in := range []string{"", "-1", "M", "5X", "1.2345k", "1..5M", ".5M", "5.M", "1e6", "1001G", "99999999999999999999", "5M5", "1.0000000000001G"} {
		if got, err := ParseRate(in); err == nil {
			t.Errorf("ParseRate(%q) = %v, want an error", in, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Size
		out  string
	}{
		{"0", 0, "0"},
		{"512MiB", 512 << 20, "512MiB"},
		{"5GB", 5e9, "5GB"},
		{"1.5GiB", 3 << 29, "1536MiB"},
		{"17", 17, "17"},
		{"17B", 17, "17"},
		{"2TB", 2e12, "2TB"},
		{"0.5kib", 512, "512"},
	} {
		got, err := ParseSize(c.in)
		if err != nil || got != c.want || got.String() != c.out {
			t.Errorf("ParseSize(%q) = %d (%s), %v; want %d (%s)", c.in, got, got, err, c.want, c.out)
		}
	}
	for _, in := range []string{"", "5X", "1.5B", "-5MB", "2000000TB", "0.1KiB"} {
		if got, err := ParseSize(in); err == nil {
			t.Errorf("ParseSize(%q) = %v, want an error", in, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1.5M")
	f.Add("512MiB")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := ParseRate(s); err == nil {
			if again, err := ParseRate(r.String()); err != nil || again != r {
				t.Fatalf("%q → %v → %v, %v", s, r, again, err)
			}
		}
		if n, err := ParseSize(s); err == nil {
			if again, err := ParseSize(n.String()); err != nil || again != n {
				t.Fatalf("%q → %v → %v, %v", s, n, again, err)
			}
		}
	})
}

func TestBucketSpecialRates(t *testing.T) {
	now := time.Unix(1, 0)
	if w := NewBucket(0, time.Second).Take(now, 1); w != Never {
		t.Errorf("rate 0 waits %v, want Never", w)
	}
	if w := NewBucket(Unlimited, time.Second).Take(now, 1<<30); w != 0 {
		t.Errorf("unlimited waits %v", w)
	}
	b := NewBucket(8000, 0)
	if w := b.Take(now, 1500); w != 0 {
		t.Errorf("the first packet waits %v", w)
	}
	if w := b.Take(now, 1000); w != time.Second {
		t.Errorf("1000 bytes at 1000 bytes/s wait %v", w)
	}
	b.SetRate(now, 0)
	if w := b.Take(now, 1); w != Never {
		t.Errorf("after SetRate(0): %v", w)
	}
	b.SetRate(now, 16000)
	if w := b.Wait(now); w != time.Second/2 {
		t.Errorf("the debt at twice the rate takes %v", w)
	}
	if w := b.Take(now.Add(-time.Hour), 0); w != time.Second/2 {
		t.Errorf("time that runs backwards: %v", w)
	}
}

// However takes, charges and pauses are mixed, no window carries more than the
// rate times its length plus the burst, and a busy sender gets all of it.
func TestBucketKeepsTheRate(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rate := Rate(rng.Int64N(50e6) + 10_000)
		burst := time.Duration(rng.Int64N(int64(200 * time.Millisecond)))
		b := NewBucket(rate, burst)
		start := time.Unix(100, 0)
		now := start
		sent, last := 0, 0
		for range 500 {
			last = rng.IntN(40000)
			if rng.IntN(4) == 0 {
				b.Charge(now, last)
				sent += last
				continue
			}
			now = now.Add(b.Take(now, last))
			sent += last
		}
		now = now.Add(b.Wait(now))
		allowed := float64(rate)/8*now.Sub(start).Seconds() + float64(max(minBurst, int64(float64(rate)/8*burst.Seconds())))
		if float64(sent) > allowed+2 {
			t.Fatalf("seed %d: sent %d, allowed %.0f", seed, sent, allowed)
		}
		if float64(sent) < float64(rate)/8*now.Sub(start).Seconds()*0.999 {
			t.Fatalf("seed %d: sent only %d of %.0f", seed, sent, allowed)
		}
	}
}

func TestBucketExtremes(t *testing.T) {
	now := time.Unix(1, 0)
	b := NewBucket(maxRate, 1000*time.Hour)
	for range 100 {
		if w := b.Take(now, 1<<30); w < 0 {
			t.Fatalf("negative wait %v", w)
		}
	}
	b = NewBucket(1, 0)
	for range 1000 {
		if w := b.Take(now, 1<<30); w < 0 {
			t.Fatalf("negative wait %v", w)
		}
	}
	if w := b.Take(now.Add(200*365*24*time.Hour), 0); w < 0 {
		t.Fatalf("negative wait %v", w)
	}
}

func BenchmarkTake(b *testing.B) {
	k := NewBucket(5e6, 100*time.Millisecond)
	now := time.Unix(1, 0)
	for b.Loop() {
		now = now.Add(k.Take(now, 4096))
	}
}
