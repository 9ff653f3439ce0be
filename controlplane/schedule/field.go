package schedule

import (
	"fmt"
	"strconv"
	"strings"
)

// field is one place of a cron expression: what it is called and what may stand
// there.
type field struct {
	name     string
	min, max int
	names    []string // of the values from min on
	example  string
}

// The fields of an expression, in its order.
var (
	secondField  = field{name: "second", max: 59, example: "0, */10 or 15,45"}
	minuteField  = field{name: "minute", max: 59, example: "0, */15 or 5-20"}
	hourField    = field{name: "hour", max: 23, example: "2, */6 or 9-17"}
	dayField     = field{name: "day of the month", min: 1, max: 31, example: "1, */2, 1-7 or L for the last day"}
	monthField   = field{name: "month", min: 1, max: 12, example: "1, JAN-MAR or */3", names: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}}
	weekdayField = field{name: "day of the week", max: 7, example: "MON-FRI, 0 or 7 for Sunday, 1#2 for the second Monday or FRIL for the last Friday", names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}
)

// set is a set of small numbers.
type set uint64

func (s set) has(n int) bool { return n >= 0 && n < 64 && s&(1<<n) != 0 }

// next is the smallest member that is at least n.
func (s set) next(n int) (int, bool) {
	for ; n < 64; n++ {
		if s.has(n) {
			return n, true
		}
	}
	return 0, false
}

func between(low, high, step int) set {
	var s set
	for n := low; n <= high; n += step {
		s |= 1 << n
	}
	return s
}

func (f field) full() set { return between(f.min, f.max, 1) }

func (f field) refuse(text, format string, args ...any) error {
	return fmt.Errorf("the %s %q %s; write %s", f.name, clip(text), fmt.Sprintf(format, args...), f.example)
}

// parse reads a list of items: `*`, a value, a range, each with an optional step.
func (f field) parse(text string) (set, error) {
	var out set
	for item := range strings.SplitSeq(text, ",") {
		s, err := f.item(item)
		if err != nil {
			return 0, err
		}
		out |= s
	}
	return out, nil
}

func (f field) item(text string) (set, error) {
	body, stepText, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		n, err := number(stepText)
		if err != nil || n < 1 || n > f.max {
			return 0, f.refuse(text, "has no step between 1 and %d behind the /", f.max)
		}
		step = n
	}
	if body == "*" || body == "?" {
		return between(f.min, f.max, step), nil
	}
	lowText, highText, ranged := strings.Cut(body, "-")
	low, err := f.value(text, lowText)
	if err != nil {
		return 0, err
	}
	high := low
	switch {
	case ranged:
		if high, err = f.value(text, highText); err != nil {
			return 0, err
		}
		if f.max == weekdayField.max && high == 0 {
			high = 7 // FRI-SUN
		}
		if high < low {
			return 0, f.refuse(text, "is a range that runs backwards: write two, as in %s-%d,%d-%s", lowText, f.max, f.min, highText)
		}
	case stepped:
		high = f.max // 5/15 is 5-59/15
	}
	return between(low, high, step), nil
}

func (f field) value(item, text string) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(text, name) {
			return f.min + i, nil
		}
	}
	n, err := number(text)
	if err != nil {
		if f.names != nil {
			return 0, f.refuse(item, "is neither a number nor a name such as %s", f.names[1])
		}
		return 0, f.refuse(item, "is no number")
	}
	if n < f.min || n > f.max {
		return 0, f.refuse(item, "is not between %d and %d", f.min, f.max)
	}
	return n, nil
}

// number reads digits only: strconv would take signs.
func number(text string) (int, error) {
	if text == "" || len(text) > 4 || strings.Trim(text, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.Atoi(text)
}

func clip(text string) string {
	const most = 60
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
