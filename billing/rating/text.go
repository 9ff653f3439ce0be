package rating

import (
	"fmt"
	"strings"

	"github.com/signalboxhq/signalbox/billing/usage"
)

const moment = "2006-01-02 15:04 UTC"

// baseText names the plan, and from when until when where that is not the whole
// month.
func (p *Part) baseText(month Period) string {
	text := p.Card.Title + " plan"
	if p.Start.After(month.Start) {
		text += " from " + p.Start.UTC().Format(moment)
	}
	if p.End.Before(month.End) {
		text += " until " + p.End.UTC().Format(moment)
	}
	return text
}

// meterText names the meter and its prices beyond what is included, and the
// plan where the month had several parts.
func (p *Part) meterText(price *Price, several bool) string {
	text := sold(price) + ", no charge"
	if terms := price.terms(); terms != "" {
		text = sold(price) + " at " + terms
	}
	if several {
		text += " (" + p.Card.Title + ")"
	}
	return text
}

// terms spells the prices of the tiers, or nothing where all are 0.
func (p *Price) terms() string {
	var terms []string
	charged := false
	for i, t := range p.Tiers {
		term := t.Nano.String()
		if i > 0 {
			term = "from " + grouped(t.From/p.Per) + " " + term
		}
		terms = append(terms, term)
		charged = charged || t.Nano > 0
	}
	if !charged {
		return ""
	}
	return strings.Join(terms, ", ")
}

// sold says in what a meter is sold.
func sold(p *Price) string {
	switch p.Meter {
	case usage.MeterRuns:
		return "Runs" + packs(p.Per)
	case usage.MeterTaskAttempts:
		return "Task attempts" + packs(p.Per)
	case usage.MeterTaskMS:
		return "Task-" + span(p.Per)
	case usage.MeterGPUMS:
		return "GPU-" + span(p.Per)
	}
	return string(p.Meter)
}

func packs(per int64) string {
	if per == 1 {
		return ""
	}
	return " by " + grouped(per)
}

// span names a price's milliseconds.
func span(ms int64) string {
	switch ms {
	case 1_000:
		return "seconds"
	case 60_000:
		return "minutes"
	case 3_600_000:
		return "hours"
	}
	return fmt.Sprintf("time by %s ms", grouped(ms))
}
