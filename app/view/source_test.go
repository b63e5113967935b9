package view

import (
	"testing"
)

func TestSourceSentence(t *testing.T) {
	on := Sharing{State: SharingOn, Rate: 800_000, Cap: 2_000_000}
	for _, c := range []struct {
		name    string
		source  Source
		sharing Sharing
		want    string
	}{
		{"the issue's", Source{Peers: 9, FromPeers: .71, FromOrigin: .29, Verified: Yes}, on, "From 9 viewers and the origin: 71 % from viewers. Sharing 0.8 of 2 Mbit/s. Verified."},
		{"one viewer", Source{Peers: 1, FromPeers: .5, FromOrigin: .5, Verified: Yes}, on, "From 1 viewer and the origin: 50 % from viewers. Sharing 0.8 of 2 Mbit/s. Verified."},
		{"never all with company", Source{Peers: 2, FromPeers: .999, FromOrigin: .001, Verified: Yes}, on, "From 2 viewers and the origin: 99 % from viewers. Sharing 0.8 of 2 Mbit/s. Verified."},
		{"never nothing with company", Source{Peers: 2, FromPeers: .001, FromOrigin: .999, Verified: Yes}, on, "From 2 viewers and the origin: 1 % from viewers. Sharing 0.8 of 2 Mbit/s. Verified."},
		{"those who gave are gone", Source{FromPeers: 1, Verified: Yes}, on, "From 1 viewer, none of it from the origin. Sharing 0.8 of 2 Mbit/s. Verified."},
		{"all three", Source{Peers: 3, FromPeers: .4, FromOrigin: .3, FromCache: .3, Verified: Yes}, on, "From 3 viewers, the origin and the cache: 40 % from viewers. Sharing 0.8 of 2 Mbit/s. Verified."},
		{"viewers and cache", Source{Peers: 3, FromPeers: .4, FromCache: .6, Verified: Yes}, on, "From 3 viewers and the cache: 40 % from viewers. Sharing 0.8 of 2 Mbit/s. Verified."},
		{"origin and cache", Source{FromOrigin: .25, FromCache: .75, Verified: Yes}, on, "From the origin and the cache: 25 % from the origin. Sharing 0.8 of 2 Mbit/s. Verified."},
		{"origin", Source{FromOrigin: 1, Verified: NotVerified}, Sharing{State: SharingIdle}, "From the origin. Ready to share; nobody asks. Not verified: the organiser's signatures are late."},
		{"cache", Source{FromCache: 1, Verified: Yes}, Sharing{State: SharingWatchOnly}, "From this machine's cache. Watching only: nothing is shared. Verified."},
		{"nothing yet", Source{}, Sharing{State: SharingUnasked}, "Nothing has arrived yet. Not sharing: you have not been asked yet."},
		{"plain", Source{FromOrigin: 1, Verified: NoChannel}, Sharing{State: SharingIdle}, "An ordinary playlist: from its own server alone, not shared, and signed by nobody."},
		{"plain, another shared", Source{FromOrigin: 1, Verified: NoChannel}, on, "An ordinary playlist: from its own server alone, not shared, and signed by nobody. Sharing 0.8 of 2 Mbit/s."},
	} {
		m := &Model{Watching: &Watching{Source: c.source}, Sharing: c.sharing}
		if got := sourceSentence(m); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestSharingSentence(t *testing.T) {
	seen := map[string]bool{}
	for s := SharingOn; s <= SharingUnasked; s++ {
		text := sharingSentence(Sharing{State: s, Cap: -1})
		if text == "" || seen[text] {
			t.Errorf("state %d says %q, as another does", s, text)
		}
		seen[text] = true
		if got := sourceSentence(&Model{Sharing: Sharing{State: s, Cap: -1}}); got != text {
			t.Errorf("without a channel state %d says %q", s, got)
		}
	}
	for _, c := range []struct {
		s    Sharing
		want string
	}{
		{Sharing{Rate: 800_000, Cap: -1}, "Sharing 800 kbit/s."},
		{Sharing{Rate: 0, Cap: 2_000_000}, "Sharing 0 of 2 Mbit/s."},
		{Sharing{Rate: 20_000, Cap: 2_000_000}, "Sharing 20 kbit/s of 2 Mbit/s."},
		{Sharing{Rate: 300_000, Cap: 500_000}, "Sharing 300 of 500 kbit/s."},
		{Sharing{Rate: 1_200_000_000, Cap: 2_500_000_000}, "Sharing 1.2 of 2.5 Gbit/s."},
	} {
		if got := sharingSentence(c.s); got != c.want {
			t.Errorf("%d of %d: %q, want %q", c.s.Rate, c.s.Cap, got, c.want)
		}
	}
}
