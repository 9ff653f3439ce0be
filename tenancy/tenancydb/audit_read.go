package tenancydb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const auditColumns = `
	e.seq, e.at, e.org_id, e.workspace_id, e.actor_type, e.actor_id, e.via, e.action, e.resource, e.request_id,
	e.outcome, e.detail, e.before_digest, e.after_digest, e.commitment, e.hash,
	p.salt, coalesce(p.actor_name, '') AS actor_name, coalesce(p.ip, '') AS ip,
	coalesce(p.user_agent, '') AS user_agent, coalesce(p.subject, '') AS subject`

// The prefix is compared with ^@, which is leakproof; LIKE is not.
const sqlListAudit = `
	SELECT` + auditColumns + `
	  FROM audit_entry e
	  LEFT JOIN audit_personal p ON p.org_id = e.org_id AND p.seq = e.seq
	 WHERE e.org_id = @org_id
	   AND e.seq < @before
	   AND e.action ^@ @prefix
	 ORDER BY e.seq DESC
	 LIMIT @limit`

const sqlWalkAudit = `
	SELECT` + auditColumns + `
	  FROM audit_entry e
	  LEFT JOIN audit_personal p ON p.org_id = e.org_id AND p.seq = e.seq
	 WHERE e.org_id = @org_id
	   AND e.seq > @after
	 ORDER BY e.seq
	 LIMIT @limit`

const sqlReadAuditHead = `
	SELECT h.seq, h.hash
	  FROM audit_head h
	 WHERE h.org_id = @org_id`

type foundEntry struct {
	Seq          int64
	At           time.Time
	OrgID        id.UUID
	WorkspaceID  *id.UUID
	ActorType    audit.ActorType
	ActorID      *id.UUID
	Via          string
	Action       string
	Resource     string
	RequestID    string
	Outcome      audit.Outcome
	Detail       string
	BeforeDigest []byte
	AfterDigest  []byte
	Commitment   []byte
	Hash         []byte
	Salt         []byte
	ActorName    string
	IP           string
	UserAgent    string
	Subject      string
}

func (f foundEntry) entry() audit.Entry {
	return audit.Entry{
		Seq: f.Seq,
		Event: audit.Event{
			At: f.At, OrgID: f.OrgID, WorkspaceID: value(f.WorkspaceID),
			Actor:  audit.Actor{Type: f.ActorType, ID: value(f.ActorID), Via: f.Via},
			Action: f.Action, Resource: f.Resource, RequestID: f.RequestID, Outcome: f.Outcome, Detail: f.Detail,
			Before: f.BeforeDigest, After: f.AfterDigest,
			Personal: audit.Personal{ActorName: f.ActorName, IP: f.IP, UserAgent: f.UserAgent, Subject: f.Subject},
		},
		Salt: f.Salt, Commitment: f.Commitment, Hash: f.Hash,
	}
}

func collectEntries(rows pgx.Rows) ([]audit.Entry, error) {
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[foundEntry])
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	entries := make([]audit.Entry, len(found))
	for i, f := range found {
		entries[i] = f.entry()
	}
	return entries, nil
}

// How long a page of the audit log is.
const (
	DefaultAuditPage = 50
	MaxAuditPage     = 200
)

// ListAudit returns at most limit (MaxAuditPage) entries with a smaller seq than
// before, the newest first; before 0 begins at the end. Who may read a part of
// the log only gets that part.
func (s *Store) ListAudit(ctx context.Context, by caller.Caller, before int64, limit int) ([]audit.Entry, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	if limit <= 0 {
		limit = DefaultAuditPage
	}
	var entries []audit.Entry
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlListAudit, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "before": before, "limit": min(limit, MaxAuditPage),
			"prefix": by.AuditPrefix(authz.ScopeOrganization),
		})
		entries, err = collectEntries(rows)
		return err
	})
	return entries, err
}

// Verification is what recomputing a chain showed.
type Verification struct {
	Entries int64
	Head    []byte
	// BrokenAt is the first entry that is not as it was written; 0 when the
	// chain is intact. Why says what is wrong with it.
	BrokenAt int64
	Why      string
}

// VerifyAudit recomputes the whole chain of the organization, on one snapshot.
// It waits while others do so.
func (s *Store) VerifyAudit(ctx context.Context, by caller.Caller) (Verification, error) {
	var v Verification
	select {
	case s.verifying <- struct{}{}:
		defer func() { <-s.verifying }()
	case <-ctx.Done():
		return v, ctx.Err()
	}
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		v, err = VerifyAuditChain(ctx, tx, by.OrgID)
		return err
	})
	return v, err
}

// VerifyAuditChain is VerifyAudit in a transaction of the caller's, which must
// see one snapshot: of sb_api (InTenantRead), or of sb_engine for any
// organization.
func VerifyAuditChain(ctx context.Context, tx pgx.Tx, org id.UUID) (Verification, error) {
	rows, _ := tx.Query(ctx, sqlReadAuditHead, pgx.StrictNamedArgs{"org_id": org})
	end, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[audit.Head])
	if err != nil && !pg.NoRows(err) {
		return Verification{}, fmt.Errorf("read the end of the audit log: %w", err)
	}
	head, err := walkAudit(ctx, tx, org)
	v := Verification{Entries: head.Seq, Head: head.Hash}
	var broken *audit.BrokenError
	switch {
	case errors.As(err, &broken):
		v.BrokenAt, v.Why = broken.Seq, broken.Why
	case err != nil:
		return v, err
	case head.Seq != end.Seq || string(head.Hash) != string(end.Hash):
		v.BrokenAt, v.Why = head.Seq+1, fmt.Sprintf("it ends at entry %d, but %d were written", head.Seq, end.Seq)
	}
	return v, nil
}

func walkAudit(ctx context.Context, tx pgx.Tx, org id.UUID) (audit.Head, error) {
	const page = 500
	var head audit.Head
	for {
		rows, _ := tx.Query(ctx, sqlWalkAudit, pgx.StrictNamedArgs{"org_id": org, "after": head.Seq, "limit": page})
		entries, err := collectEntries(rows)
		if err != nil {
			return head, err
		}
		if head, err = audit.Verify(head, entries); err != nil {
			return head, err
		}
		if len(entries) < page {
			return head, nil
		}
	}
}
