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
