package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// CatchupMode says which of several fires that are due at once are served.
type CatchupMode string

// The modes.
const (
	CatchupNone   CatchupMode = "none"   // the last one, if it is hardly late
	CatchupLatest CatchupMode = "latest" // the last one, however late
	CatchupWindow CatchupMode = "window" // those that are no older than the window
	CatchupAll    CatchupMode = "all"
)

// Catchup is what is made up for after an outage.
type Catchup struct {
	Mode   CatchupMode
	Window time.Duration
}

// onTime is how late a fire may be that counts as no fire missed: a replica that
// is replaced takes some seconds.
const onTime = 30 * time.Second

// ParseCatchup reads none, latest, all or window(2d); empty is latest.
func ParseCatchup(text string) (Catchup, error) {
	switch mode := CatchupMode(text); mode {
	case "":
		return Catchup{Mode: CatchupLatest}, nil
	case CatchupNone, CatchupLatest, CatchupAll:
		return Catchup{Mode: mode}, nil
	case CatchupWindow: // needs its duration
	}
	inner, ok := strings.CutPrefix(text, "window(")
	if inner, closed := strings.CutSuffix(inner, ")"); ok && closed {
		ms, err := plan.ParseDuration(inner)
		if err != nil {
			return Catchup{}, fmt.Errorf("the window of the catch-up: %w", err)
		}
		return Catchup{Mode: CatchupWindow, Window: duration(ms)}, nil
	}
	return Catchup{}, fmt.Errorf("%q is no catch-up; write none, latest, all or window(2d)", clip(text))
}

// Offset is how long after its nominal time a fire is served. It depends on the
// schedule and the fire alone, so all replicas agree on it.
func (s *Schedule) Offset(schedule id.UUID, nominal time.Time) time.Duration {
	ms := uint64(s.jitter / time.Millisecond)
	if ms == 0 {
		return 0
	}
	name := binary.BigEndian.AppendUint64(schedule[:], uint64(nominal.UnixMilli()))
	sum := sha256.Sum256(name)
	return time.Duration(binary.BigEndian.Uint64(sum[:8])%(ms+1)) * time.Millisecond
}

// Due returns the nominal times in (cursor, now] that are to be served, at most
// most of them and ascending, and the cursor behind them: what lies before it
// has been served or is not made up for. Where more is due than most, calling
// again with the new cursor goes on.
func (s *Schedule) Due(schedule id.UUID, cursor, now time.Time, most int) (fires []time.Time, next time.Time) {
	if s.Catchup.Mode == CatchupNone || s.Catchup.Mode == CatchupLatest {
		last, ok := s.lastDue(schedule, cursor, now)
		if !ok {
			return nil, cursor
		}
		late := now.Sub(last.Add(s.Offset(schedule, last)))
		if most < 1 || s.Catchup.Mode == CatchupNone && late > onTime {
			return nil, last
		}
		return []time.Time{last}, last
	}
	if oldest := now.Add(-s.Catchup.Window); s.Catchup.Mode == CatchupWindow && oldest.After(cursor) {
		// A fire inside the window may have been kept back by its jitter.
		if oldest = oldest.Add(-s.jitter); oldest.After(cursor) {
			cursor = oldest
		}
	}
	for len(fires) < most {
		t, ok := s.Next(cursor)
		if !ok || t.Add(s.Offset(schedule, t)).After(now) {
			break
		}
		fires, cursor = append(fires, t), t
	}
	return fires, cursor
}

// lastDue is the last fire after the cursor whose time has come, jitter included.
func (s *Schedule) lastDue(schedule id.UUID, cursor, now time.Time) (time.Time, bool) {
	t, ok := s.Previous(now.Add(time.Nanosecond))
	for ok && t.After(cursor) {
		if !t.Add(s.Offset(schedule, t)).After(now) {
			return t, true
		}
		t, ok = s.Previous(t)
	}
	return time.Time{}, false
}

// FirstCursor is where a schedule that is made now begins: with a start in the
// past and a catch-up that makes up for more than the last fire it begins
// there, else now.
func (s *Schedule) FirstCursor(now time.Time) time.Time {
	mode := s.Catchup.Mode
	if !s.start.IsZero() && s.start.Before(now) && (mode == CatchupAll || mode == CatchupWindow) {
		return s.start.Add(-time.Millisecond)
	}
	return now
}
