package rating

import (
	"errors"
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/billing/usage"
)

// Period is a stretch of time: Start belongs to it, End does not.
type Period struct{ Start, End time.Time }

// MonthOf is the calendar month of t in UTC: what is billed at once.
func MonthOf(t time.Time) Period {
	t = t.UTC()
	start := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return Period{Start: start, End: start.AddDate(0, 1, 0)}
}

// String spells the month that begins with the period: 2026-11.
func (p Period) String() string { return p.Start.UTC().Format("2006-01") }

// seconds is the period's length. Both ends are cut to the second, so that the
// parts of a period add up to the whole.
func (p Period) seconds() int64 { return p.End.Unix() - p.Start.Unix() }

// Part is the time of a month in which one card was in force, and what was used
// in it.
type Part struct {
	Period

	Card Card
	// Used has the quantity of each meter; one that is missing is 0.
	Used map[usage.Meter]int64
}

// Line is one line of an invoice.
type Line struct {
	// ID names the line within its month, for ever: a later line never takes it.
	ID string
	// Meter is empty for a base fee.
	Meter usage.Meter
	Text  string
	// Quantity and Included are in the meter's units; both are 0 for a base fee.
	Quantity, Included int64
	// Unit is the quoted price where the line has a single one, else 0. For a
	// base fee it is that of the whole month.
	Unit NanoUSD
	// Amount is the line's exact amount, rounded half to even for showing.
	Amount NanoUSD
	// Cents is what is charged: the exact amount, rounded half to even.
	Cents int64
}

// Total is what an invoice of these lines charges, in cents.
func Total(lines []Line) int64 {
	var cents int64
	for i := range lines {
		cents += lines[i].Cents
	}
	return cents
}

// Rate computes the lines of a month. The parts are in their order in time and
// lie within the month; there may be time between them in which nothing was
// subscribed. Errors: ErrTooLarge; any other means a broken card, parts that
// overlap, or a negative quantity.
func Rate(month Period, parts []Part) ([]Line, error) {
	var lines []Line
	for i := range parts {
		p := &parts[i]
		if err := p.check(month, parts[:i]); err != nil {
			return nil, err
		}
		base, err := p.base(month)
		if err != nil {
			return nil, err
		}
		lines = append(lines, named(base, "base", i))
		for j := range p.Card.Prices {
			line, err := p.line(&p.Card.Prices[j], len(parts) > 1)
			if err != nil {
				return nil, err
			}
			lines = append(lines, named(line, string(line.Meter), i))
		}
	}
	return lines, nil
}

// named gives a line its id. The first part's lines have plain names; a plan
// that changes later in the month only adds others.
func named(l Line, name string, part int) Line {
	l.ID = name
	if part > 0 {
		l.ID = fmt.Sprintf("%s.%d", name, part+1)
	}
	return l
}

func (p *Part) check(month Period, before []Part) error {
	if err := p.Card.Validate(); err != nil {
		return err
	}
	if p.Start.Before(month.Start) || month.End.Before(p.End) || p.End.Before(p.Start) {
		return fmt.Errorf("the part from %v to %v does not lie in month %v", p.Start, p.End, month)
	}
	if n := len(before); n > 0 && p.Start.Before(before[n-1].End) {
		return fmt.Errorf("the part from %v begins before the one until %v has ended", p.Start, before[n-1].End)
	}
	for m, n := range p.Used {
		if n < 0 {
			return fmt.Errorf("the quantity of %s is negative: %d", m, n)
		}
	}
	return nil
}

// base is the fee for the part's share of the month.
func (p *Part) base(month Period) (Line, error) {
	nano, cents, err := Prorate(p.Card.Base, p.seconds(), month.seconds())
	return Line{Text: p.baseText(month), Unit: p.Card.Base, Amount: nano, Cents: cents}, err
}

// line is the charge for one meter.
func (p *Part) line(price *Price, several bool) (Line, error) {
	used := p.Used[price.Meter]
	nano, cents, err := price.between(0, used).round()
	if err != nil {
		return Line{}, fmt.Errorf("rate %d of %s: %w", used, price.Meter, err)
	}
	return Line{
		Meter: price.Meter, Text: p.meterText(price, several), Quantity: used, Included: price.Included(),
		Unit: price.unit(used), Amount: nano, Cents: cents,
	}, nil
}

// Prorate is the share of a fee for so many seconds of a period: in
// nano-dollars for showing, in cents for charging, each rounded half to even.
func Prorate(fee NanoUSD, seconds, of int64) (nano NanoUSD, cents int64, err error) {
	if of <= 0 {
		return 0, 0, errors.New("a period without seconds cannot be shared")
	}
	return scaled(fee, seconds, of).round()
}
