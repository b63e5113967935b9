package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// At returns the level of t's hour, in t's time zone.
func (w Week) At(t time.Time) Level {
	monday := (int(t.Weekday()) + 6) % 7
	return w[monday][t.Hour()]
}

func week(w Week) error {
	for _, day := range w {
		for _, l := range day {
			if l > Full {
				return fmt.Errorf("want levels from %d to %d", Off, Full)
			}
		}
	}
	return nil
}

var errWeek = errors.New("want seven texts of 24 digits from 0 to 2")

// MarshalJSON writes a line for each day, a digit for each hour.
func (w Week) MarshalJSON() ([]byte, error) {
	var days [7]string
	for i, day := range w {
		line := make([]byte, len(day))
		for hour, l := range day {
			line[hour] = '0' + byte(l)
		}
		days[i] = string(line)
	}
	return json.Marshal(days)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (w *Week) UnmarshalJSON(b []byte) error {
	var days []string
	if err := json.Unmarshal(b, &days); err != nil || len(days) != len(w) {
		return errWeek
	}
	var got Week
	for i, line := range days {
		if len(line) != len(got[i]) {
			return errWeek
		}
		for hour := range got[i] {
			got[i][hour] = Level(line[hour] - '0') // other characters are above Full
			if got[i][hour] > Full {
				return errWeek
			}
		}
	}
	*w = got
	return nil
}

// NextChange returns when after now the rules may say something else although
// nothing changes but the time: when the week's level changes, or a month with a
// limit begins. It is zero if that never happens. Both go by now's time zone.
func (s Settings) NextChange(now time.Time) time.Time {
	var next time.Time
	if s.Monthly != NoLimit {
		next = time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, now.Location())
	}
	level, end := s.Week.At(now), now.Add(8*24*time.Hour) // a week, and a day for clocks that are set
	for t := now; t.Before(end); {
		// The clock's next full hour. Steps are of time that passes, so that an
		// hour that the clock leaves out or shows twice does no harm.
		t = t.Add(time.Hour - time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
		if s.Week.At(t) != level {
			if next.IsZero() || t.Before(next) {
				next = t
			}
			break
		}
	}
	return next
}
