package tenancydb

import (
	"bytes"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
)

const sqlMakeAuditHeads = `
	INSERT INTO audit_head (org_id, seq, hash)
	SELECT k.org_id, 0, ''
	  FROM unnest(@orgs::uuid[]) WITH ORDINALITY AS k (org_id, n)
	 ORDER BY k.n
	ON CONFLICT (org_id) DO NOTHING`

const sqlLockAuditHeads = `
	SELECT h.org_id, h.seq, h.hash
	  FROM audit_head h
	 WHERE h.org_id = ANY(@orgs)
	 ORDER BY h.org_id
	   FOR UPDATE`

// QueueAuditHeads locks the ends of several organizations' chains, for a
// transaction that travels in batches: these are its last locks. With no
// organization it queues nothing.
func QueueAuditHeads(q *pgx.Batch, orgs map[id.UUID]bool, each func(org id.UUID, head audit.Head)) {
	if len(orgs) == 0 {
		return
	}
	list := slices.SortedFunc(maps.Keys(orgs), func(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) })
	args := pgx.StrictNamedArgs{"orgs": list}
	q.Queue(sqlMakeAuditHeads, args)
	q.Queue(sqlLockAuditHeads, args).Query(func(rows pgx.Rows) error {
		var org id.UUID
		var head audit.Head
		_, err := pgx.ForEachRow(rows, []any{&org, &head.Seq, &head.Hash}, func() error {
			each(org, audit.Head{Seq: head.Seq, Hash: bytes.Clone(head.Hash)})
			return nil
		})
		return err
	})
}

// QueueAudit writes an entry whose place in the chain was found under the lock
// of QueueAuditHeads, and moves the chain's end there.
func QueueAudit(q *pgx.Batch, e audit.Entry) { q.Queue(sqlAppendAudit, auditArgs(e)) }
