package billingapi

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signalboxhq/signalbox/billing/billingdb"
	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/internal/fault"
	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// reasonInvalid is the reason of every fault of this package.
const reasonInvalid fault.Reason = "INVALID_ARGUMENT"

const (
	defaultPage = 50
	maxPage     = 200
	maxLabelKey = 63
)

func invalid(path, want, got string) *fault.Error {
	const most = 80
	if utf8.RuneCountInString(got) > most {
		got = string([]rune(got)[:most]) + "…"
	}
	text := path + " must be " + want
	return fault.Invalid(reasonInvalid, "%s", text).With(fault.Violation{Path: path, Want: want, Got: got, Text: text})
}

// parseMonth reads 2026-11; empty is the month of now.
func parseMonth(text string, now time.Time) (rating.Period, error) {
	if text == "" {
		return rating.MonthOf(now), nil
	}
	t, err := time.Parse("2006-01", text)
	if err != nil || t.Year() < 1970 { // ids carry no earlier time
		return rating.Period{}, invalid("month", "a month such as 2026-11", text)
	}
	return rating.MonthOf(t), nil
}

// parseAnyMonth reads 2026-11; empty is every month, nil.
func parseAnyMonth(text string) (*rating.Period, error) {
	if text == "" {
		return nil, nil
	}
	month, err := parseMonth(text, time.Time{})
	return &month, err
}

// parseDimension reads what to group by; empty is nothing.
func parseDimension(text string) (billingdb.Dimension, error) {
	kind, label, labeled := strings.Cut(text, ":")
	d := billingdb.Dimension{Kind: billingdb.DimensionKind(kind), Label: label}
	switch d.Kind {
	case "", billingdb.ByWorkspace, billingdb.ByPool, billingdb.ByPipeline, billingdb.ByDay:
		if !labeled {
			return d, nil
		}
	case billingdb.ByLabel:
		if label != "" && len(label) <= maxLabelKey && utf8.ValidString(label) && !strings.ContainsRune(label, 0) {
			return d, nil
		}
	}
	return billingdb.Dimension{}, invalid("by", "workspace, pool, pipeline, day or label:<key>", text)
}

func parseRunsQuery(req *usagev1.ListUsageRunsRequest, now time.Time) (billingdb.RunsQuery, error) {
	q := billingdb.RunsQuery{Meter: usage.Meter(req.GetMeter()), Limit: defaultPage}
	var err error
	if q.Month, err = parseMonth(req.GetMonth(), now); err != nil {
		return q, err
	}
	if !slices.Contains(usage.Meters(), q.Meter) {
		return q, invalid("meter", "runs, task_attempts, task_ms or gpu_ms", req.GetMeter())
	}
	if n := req.GetPageSize(); n > 0 {
		q.Limit = int(min(n, maxPage))
	}
	if token := req.GetPageToken(); token != "" {
		// A page begins behind the last run of the one before.
		if q.Before, err = id.Parse(id.Run, token); err != nil {
			return q, invalid("page_token", "the next_page_token of the page before", token).Because(err)
		}
	}
	return q, nil
}
