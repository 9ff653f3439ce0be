package advance

import "time"

// planner says when the loop's statements are to be planned anew. PostgreSQL
// does that by itself only after it has looked at a table, once a minute at
// best; to an empty table all indexes that begin with the organization look
// alike, and a plan that takes the wrong one reads all of its rows when it has
// grown. So they are planned again as rows come in, in steps, and every while
// for what other replicas write.
type planner struct {
	rows, next int
	at         time.Time
}

const (
	firstPlan   = 500
	planGrowth  = 4
	planAtLeast = 10 * time.Second
)

// due reports whether to plan anew; rows is what the next batch may write.
func (p *planner) due(now time.Time, rows int) bool {
	p.rows += rows
	switch {
	case now.Sub(p.at) >= planAtLeast:
		p.at, p.rows, p.next = now, 0, firstPlan
	case p.rows >= p.next:
		p.next *= planGrowth
	default:
		return false
	}
	return true
}
