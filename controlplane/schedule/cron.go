package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Cron is an expression of five fields, or of six with the seconds first.
type Cron struct {
	seconds, minutes, hours, days, months, weekdays set

	// lastDay is L in the day of the month.
	lastDay bool
	// nth holds, per weekday, which ones of a month; lastOf the weekdays whose
	// last one of a month counts.
	nth    [7]set
	lastOf set
	// anyDay and anyWeekday are fields that restrict nothing.
	anyDay, anyWeekday bool
	// elapsed: every hour is meant, so that the clock's jumps do not matter.
	elapsed bool
	// coarse: written without seconds.
	coarse bool
}

// macros are the names that stand for whole expressions.
var macros = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

// ParseCron reads `0 2 * * 1-5`, `*/10 * * * * *` or `@daily`. Where both days,
// of the month and of the week, restrict, one that fits either fits: as every
// cron does it. Its errors are sentences for whoever wrote the expression.
func ParseCron(text string) (*Cron, error) {
	const longest = 200
	if len(text) > longest {
		return nil, fmt.Errorf("the cron expression is longer than %d bytes", longest)
	}
	expr := strings.TrimSpace(text)
	if strings.HasPrefix(expr, "@") {
		macro, ok := macros[strings.ToLower(expr)]
		if !ok {
			return nil, fmt.Errorf("%q is not known; write @yearly, @monthly, @weekly, @daily or @hourly; an interval is `every: 90s`", clip(expr))
		}
		expr = macro
	}
	fields := strings.Fields(expr)
	c := &Cron{coarse: len(fields) == 5}
	if c.coarse {
		fields = append([]string{"0"}, fields...)
	}
	if len(fields) != 6 {
		return nil, fmt.Errorf("%q has %d fields, a cron expression has five: minute, hour, day, month and weekday, as in \"0 2 * * 1-5\"; a sixth, in front, is the second",
			clip(text), len(strings.Fields(expr)))
	}
	if err := c.read(fields); err != nil {
		return nil, err
	}
	if !c.possible() {
		return nil, fmt.Errorf("%q never fires: no year has such a day", clip(text))
	}
	return c, nil
}

func (c *Cron) read(fields []string) error {
	errs := make([]error, 0, len(fields))
	for i, f := range []struct {
		field

		into *set
	}{{secondField, &c.seconds}, {minuteField, &c.minutes}, {hourField, &c.hours}, {monthField, &c.months}} {
		at := i
		if f.into == &c.months {
			at = 4
		}
		s, err := f.parse(fields[at])
		*f.into = s
		errs = append(errs, err)
	}
	errs = append(errs, c.readDay(fields[3]), c.readWeekday(fields[5]))
	c.elapsed = c.hours == hourField.full()
	c.anyDay = c.days == dayField.full()
	c.anyWeekday = c.weekdays == between(0, 6, 1)
	return errors.Join(errs...)
}

func (c *Cron) readDay(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		if strings.EqualFold(item, "L") {
			c.lastDay = true
			continue
		}
		s, err := dayField.item(item)
		if err != nil {
			return err
		}
		c.days |= s
	}
	return nil
}

func (c *Cron) readWeekday(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		if err := c.readWeekdayItem(item); err != nil {
			return err
		}
	}
	if c.weekdays.has(7) {
		c.weekdays = c.weekdays&^(1<<7) | 1
	}
	return nil
}

func (c *Cron) readWeekdayItem(item string) error {
	if day, nth, ok := strings.Cut(item, "#"); ok {
		d, err := weekdayField.value(item, day)
		if err != nil {
			return err
		}
		n, err := number(nth)
		if err != nil || n < 1 || n > 5 {
			return weekdayField.refuse(item, "has no number from 1 to 5 behind the #")
		}
		c.nth[d%7] |= 1 << n
		return nil
	}
	if day, ok := strings.CutSuffix(strings.ToUpper(item), "L"); ok && day != "" {
		d, err := weekdayField.value(item, day)
		if err != nil {
			return err
		}
		c.lastOf |= 1 << (d % 7)
		return nil
	}
	s, err := weekdayField.item(item)
	c.weekdays |= s
	return err
}

// possible reports whether any year has a day that fits: 30 February never comes.
func (c *Cron) possible() bool {
	if c.lastDay || c.restrictsWeekday() {
		return true // every month has them but for a fifth weekday, which each year has
	}
	for m := 1; m <= 12; m++ {
		if first, ok := c.days.next(1); ok && c.months.has(m) && first <= daysIn(2024, time.Month(m)) {
			return true
		}
	}
	return false
}

func (c *Cron) restrictsWeekday() bool { return !c.anyWeekday }

// fitsDay reports whether the expression fires on a date.
func (c *Cron) fitsDay(date time.Time) bool {
	y, m, d := date.Date()
	if !c.months.has(int(m)) {
		return false
	}
	byMonth := c.days.has(d) || c.lastDay && d == daysIn(y, m)
	w := int(date.Weekday())
	byWeek := c.weekdays.has(w) || c.nth[w].has((d-1)/7+1) || c.lastOf.has(w) && d+7 > daysIn(y, m)
	switch {
	case c.anyDay && c.anyWeekday:
		return true
	case c.anyDay:
		return byWeek
	case c.anyWeekday:
		return byMonth
	}
	return byMonth || byWeek
}

// fits reports whether a wall time is one of the expression's. One without
// seconds means all of the minute.
func (c *Cron) fits(wall time.Time) bool {
	return c.fitsDay(wall) && c.hours.has(wall.Hour()) && c.minutes.has(wall.Minute()) && (c.coarse || c.seconds.has(wall.Second()))
}

// wholeDay reports whether every time of a day that fits does.
func (c *Cron) wholeDay() bool {
	return c.hours == hourField.full() && c.minutes == minuteField.full() && (c.coarse || c.seconds == secondField.full())
}

// nextWall is the first wall time of the expression that is not before from.
// Wall times are held as times in UTC. It looks no further than until.
func (c *Cron) nextWall(from, until time.Time) (time.Time, bool) {
	y, m, d := from.Date()
	h, mi, s := from.Clock()
	for date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC); !date.After(until); {
		if !c.months.has(int(date.Month())) {
			date, h, mi, s = time.Date(date.Year(), date.Month()+1, 1, 0, 0, 0, 0, time.UTC), 0, 0, 0
			continue
		}
		if c.fitsDay(date) {
			if clock, ok := c.nextClock(h, mi, s); ok {
				return date.Add(clock), true
			}
		}
		date, h, mi, s = date.AddDate(0, 0, 1), 0, 0, 0
	}
	return time.Time{}, false
}

// nextClock is the first time of day that is not before h:m:s.
func (c *Cron) nextClock(h, m, s int) (time.Duration, bool) {
	hour, ok := c.hours.next(h)
	if !ok {
		return 0, false
	}
	if hour > h {
		m, s = 0, 0
	}
	minute, ok := c.minutes.next(m)
	if !ok {
		return c.nextClock(hour+1, 0, 0)
	}
	if minute > m {
		s = 0
	}
	second, ok := c.seconds.next(s)
	if !ok {
		return c.nextClock(hour, minute+1, 0)
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second, true
}

func daysIn(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }
