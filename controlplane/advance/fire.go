package advance

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// A fire that somebody has given up meanwhile, because he could not start it, is
// taken up again: what it stands for runs.
const sqlNoteFires = `
	UPDATE schedule_fire f
	SET state = 'started', run_id = u.run_id, reason = '', ended_at = NULL
	FROM unnest(@orgs::uuid[], @schedules::uuid[], @nominals::timestamptz[], @runs::uuid[]) AS u (org_id, schedule_id, nominal, run_id)
	WHERE f.org_id = u.org_id
		AND f.schedule_id = u.schedule_id
		AND f.nominal = u.nominal
		AND f.state IN ('starting', 'refused')`

// writeFires notes the runs that schedules start, in the transaction that starts
// them: whoever asked for one may not live to do it.
func (b *batch) writeFires(q *writer, works []*runWork) {
	var orgs, schedules, runs []id.UUID
	var nominals []time.Time
	for _, w := range works {
		if w.start == nil {
			continue
		}
		if c := w.start.start; c.Fire != nil && c.Schedule != id.Nil {
			orgs, schedules = append(orgs, c.Org), append(schedules, c.Schedule)
			nominals, runs = append(nominals, c.Fire.Nominal), append(runs, w.key.Run)
		}
	}
	if len(runs) > 0 {
		q.exec(sqlNoteFires, args{"orgs": orgs, "schedules": schedules, "nominals": nominals, "runs": runs})
	}
}
