package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"coral/node/budget"
)

// The values of pilot's flags.

// streamRate is a rate that something real has.
type streamRate budget.Rate

const (
	leastStream = 16_000          // speech
	mostStream  = 100_000_000_000 // beyond any line that an organiser rents
)

func (v *streamRate) String() string {
	if *v == 0 {
		return ""
	}
	return budget.Rate(*v).String()
}

func (v *streamRate) Set(s string) error {
	r, err := budget.ParseRate(s)
	if err != nil {
		return unquoted(err)
	}
	if r < leastStream || r > mostStream {
		return fmt.Errorf("write a rate from %v to %v", budget.Rate(leastStream), budget.Rate(mostStream))
	}
	*v = streamRate(r)
	return nil
}

// audience is a number of viewers.
type audience int

const mostAudience = 1_000_000

func (v *audience) String() string { return strconv.Itoa(int(*v)) }

func (v *audience) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > mostAudience {
		return fmt.Errorf("write a number from 1 to %d", mostAudience)
	}
	*v = audience(n)
	return nil
}

// percent is a share of all.
type percent int

func (v *percent) String() string { return strconv.Itoa(int(*v)) }

func (v *percent) Set(s string) error {
	n, err := strconv.Atoi(strings.TrimSuffix(s, "%"))
	if err != nil || n < 0 || n > 100 {
		return errors.New("write a number from 0 to 100")
	}
	*v = percent(n)
	return nil
}

// span is a duration within bounds.
type span struct {
	value       *time.Duration
	least, most time.Duration
	such        string // an example
}

const (
	leastSegment = 500 * time.Millisecond
	mostSegment  = 15 * time.Second
	leastArrival = time.Second
	mostArrival  = 5 * time.Minute // slower than that no crowd is felt
)

func (v span) String() string {
	if v.value == nil { // package flag asks a zero value
		return ""
	}
	return v.value.String()
}

func (v span) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < v.least || d > v.most {
		return fmt.Errorf("write a duration from %v to %v, such as %s", v.least, v.most, v.such)
	}
	*v.value = d
	return nil
}

// uplinks says which share of the viewers sends at which rate.
type uplinks []uplink

type uplink struct {
	rate  budget.Rate
	share float64
}

const mostUplinks = 16

// towns is how uplinks lie around their median: the middles of five parts of a
// log-normal distribution with σ = 0.7, as access lines of several sorts are
// mixed.
var towns = []float64{0.41, 0.69, 1, 1.44, 2.45}

func (v *uplinks) String() string {
	var all []string
	for _, u := range *v {
		all = append(all, fmt.Sprintf("%v:%.0f", u.rate, 100*u.share))
	}
	return strings.Join(all, ",")
}

func (v *uplinks) Set(s string) error {
	var all uplinks
	sum := 0.0
	for item := range strings.SplitSeq(s, ",") {
		text, share, listed := strings.Cut(item, ":")
		r, err := budget.ParseRate(text)
		switch {
		case err != nil:
			return unquoted(err)
		case r < 0 || r > mostStream:
			return fmt.Errorf("write rates from 0 to %v", budget.Rate(mostStream))
		case !listed && !strings.Contains(s, ","):
			for _, k := range towns {
				all = append(all, uplink{budget.Rate(k * float64(r)), 1 / float64(len(towns))})
			}
			*v = all
			return nil
		}
		p, err := strconv.ParseFloat(strings.TrimSuffix(share, "%"), 64)
		if !listed || err != nil || !(p > 0 && p <= 100) {
			return errors.New("write one rate, or RATE:PERCENT with commas between")
		}
		if len(all) == mostUplinks {
			return fmt.Errorf("at most %d rates can be given", mostUplinks)
		}
		all, sum = append(all, uplink{r, p / 100}), sum+p
	}
	if math.Abs(sum-100) > 1 {
		return fmt.Errorf("the shares make %.4g %%, not 100", sum)
	}
	*v = all
	return nil
}

// group is a number of simulated viewers of one kind.
type group struct {
	n      int
	up     budget.Rate
	shares bool
}

// groups shares n viewers out.
func (q *occasion) groups(n int) (all []group) {
	before, given := 0.0, 0
	put := func(share float64, up budget.Rate, shares bool) {
		before += share
		if upTo := int(math.Round(before * float64(n))); upTo > given {
			all = append(all, group{upTo - given, up, shares && up > 0})
			given = upTo
		}
	}
	sharing := float64(q.sharing) / 100
	for _, u := range q.uplinks {
		put(u.share*sharing, u.rate, true)
		put(u.share*(1-sharing), u.rate, false)
	}
	if k := len(all); k > 0 {
		all[k-1].n += n - given // shares that make 99.5 %
	}
	return all
}

// ratio is what all who share can send over what all watch.
func (q *occasion) ratio() float64 {
	sum := 0.0
	for _, u := range q.uplinks {
		sum += u.share * float64(u.rate)
	}
	return sum * float64(q.sharing) / 100 / float64(q.bitrate)
}

// fluid is the share of what all watch that viewers can carry between them, were
// there infinitely many: whoever does not share has no peers, and the others
// carry no more than they watch.
func (q *occasion) fluid() float64 { return min(q.sharers(), q.ratio()) }

// sharers is the share of the viewers that can give something and do.
func (q *occasion) sharers() float64 {
	sharing := 0.0
	for _, u := range q.uplinks {
		if u.rate > 0 {
			sharing += u.share * float64(q.sharing) / 100
		}
	}
	return sharing
}

// bound is the share that can be offloaded at most: one copy comes from the line.
func (q *occasion) bound() float64 { return max(0, min(1-1/float64(q.viewers), q.fluid())) }
