package cli

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
)

// moment shows when something was, for a line of its own: absolute and relative.
func (a *app) moment(t *timestamppb.Timestamp) output.Cell {
	if t == nil {
		return output.Text("")
	}
	at := t.AsTime()
	return output.Text(at.UTC().Format("2006-01-02 15:04:05Z") + " (" + output.Ago(at, a.now()) + ")")
}

// ago shows when something was, for a column: relative.
func (a *app) ago(t *timestamppb.Timestamp) output.Cell {
	if t == nil {
		return output.Text("")
	}
	return output.Text(output.Ago(t.AsTime(), a.now()))
}

// day shows a date: of an expiry, where the hour says nothing.
func day(t *timestamppb.Timestamp) output.Cell {
	if t == nil {
		return output.Text("")
	}
	return output.Text(t.AsTime().UTC().Format(time.DateOnly))
}

// took is the time from start to end, or to now while there is no end; empty
// while there is no start.
func took(start, end *timestamppb.Timestamp, now time.Time) output.Cell {
	if start == nil {
		return output.Text("")
	}
	if end != nil {
		now = end.AsTime()
	}
	return output.Text(output.Duration(now.Sub(start.AsTime())))
}
