package tenancydb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const sqlLockAuditHead = `
	SELECT h.seq, h.hash
	  FROM audit_head h
	 WHERE h.org_id = @org_id
	   FOR UPDATE`

const sqlMakeAuditHead = `
	INSERT INTO audit_head (org_id, seq, hash)
	VALUES (@org_id, 0, '')
	ON CONFLICT (org_id) DO NOTHING`

const sqlAppendAudit = `
	WITH entry AS (
	  INSERT INTO audit_entry (org_id, seq, at, workspace_id, actor_type, actor_id, via, action, resource, request_id,
	                           outcome, detail, before_digest, after_digest, commitment, hash)
	  VALUES (@org_id, @seq, @at, @workspace_id, @actor_type, @actor_id, @via, @action, @resource, @request_id,
	          @outcome, @detail, @before, @after, @commitment, @hash)
	), personal AS (
	  INSERT INTO audit_personal (org_id, seq, salt, actor_name, ip, user_agent, subject)
	  VALUES (@org_id, @seq, @salt, @actor_name, @ip, @user_agent, @subject)
	)
	UPDATE audit_head
	   SET seq = @seq, hash = @hash
	 WHERE org_id = @org_id`

// AppendAudit writes an event of event.OrgID at the end of that organization's
// chain, in the transaction of what it tells. The chain's head stays locked
// until the transaction ends, so this must be its last statement. tx is of
// sb_api (InTenant) or sb_engine; random is crypto/rand.Reader outside tests.
func AppendAudit(ctx context.Context, tx pgx.Tx, event audit.Event, random io.Reader) (audit.Entry, error) {
	if event.At.IsZero() {
		return audit.Entry{}, errors.New("append to the audit log: the event has no time")
	}
	salt := make([]byte, audit.SaltLength)
	if _, err := io.ReadFull(random, salt); err != nil {
		return audit.Entry{}, fmt.Errorf("read randomness for an audit entry: %w", err)
	}
	head, err := lockAuditHead(ctx, tx, event.OrgID)
	if err != nil {
		return audit.Entry{}, err
	}
	e := audit.Append(head, event, salt)
	if _, err = tx.Exec(ctx, sqlAppendAudit, auditArgs(e)); err != nil {
		return audit.Entry{}, fmt.Errorf("append to the audit log: %w", err)
	}
	return e, nil
}

func auditArgs(e audit.Entry) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"org_id": e.OrgID, "seq": e.Seq, "at": e.At, "workspace_id": nullable(e.WorkspaceID),
		"actor_type": e.Actor.Type, "actor_id": nullable(e.Actor.ID), "via": e.Actor.Via,
		"action": e.Action, "resource": e.Resource, "request_id": e.RequestID, "outcome": e.Outcome, "detail": e.Detail,
		"before": e.Before, "after": e.After, "commitment": e.Commitment, "hash": e.Hash,
		"salt": e.Salt, "actor_name": e.Personal.ActorName, "ip": e.Personal.IP,
		"user_agent": e.Personal.UserAgent, "subject": e.Personal.Subject,
	}
}

// lockAuditHead locks the end of a chain, which it makes for an organization
// that has none yet.
func lockAuditHead(ctx context.Context, tx pgx.Tx, org id.UUID) (audit.Head, error) {
	args := pgx.StrictNamedArgs{"org_id": org}
	for range 2 {
		rows, _ := tx.Query(ctx, sqlLockAuditHead, args)
		head, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[audit.Head])
		if err == nil {
			return head, nil
		}
		if !pg.NoRows(err) {
			return audit.Head{}, fmt.Errorf("lock the audit log: %w", err)
		}
		if _, err := tx.Exec(ctx, sqlMakeAuditHead, args); err != nil {
			return audit.Head{}, fmt.Errorf("begin the audit log: %w", err)
		}
	}
	return audit.Head{}, errors.New("lock the audit log: its head cannot be made")
}

// record writes what by did, now, as the last statement of tx.
func (s *Store) record(ctx context.Context, tx pgx.Tx, event audit.Event) error {
	event.At = s.now()
	_, err := AppendAudit(ctx, tx, event, s.random)
	return err
}

const sqlFindDenial = `
	SELECT EXISTS (
	  SELECT
	    FROM audit_entry e
	   WHERE e.org_id = @org_id
	     AND e.actor_id = @actor_id
	     AND e.action = @action
	     AND e.outcome = 'denied'
	     AND e.at >= @minute)`

// RecordDenial writes that by was refused permission in the organization of the
// request: one entry for each actor, action and minute, however often they try.
func (s *Store) RecordDenial(ctx context.Context, by caller.Caller, permission authz.Permission) error {
	event := by.Event("denied."+string(permission), "")
	event.WorkspaceID, event.Outcome, event.At = by.WorkspaceID, audit.OutcomeDenied, s.now()
	written := func(tx pgx.Tx) (found bool, err error) {
		err = tx.QueryRow(ctx, sqlFindDenial, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "actor_id": event.Actor.ID, "action": event.Action, "minute": event.At.Truncate(time.Minute),
		}).Scan(&found)
		if err != nil {
			return false, fmt.Errorf("look for a denial: %w", err)
		}
		return found, nil
	}
	return pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		// Asked twice: without the lock, so that a flood waits for nobody; and
		// with it, so that two at once are one.
		if found, err := written(tx); err != nil || found {
			return err
		}
		if _, err := lockAuditHead(ctx, tx, by.OrgID); err != nil {
			return err
		}
		if found, err := written(tx); err != nil || found {
			return err
		}
		_, err := AppendAudit(ctx, tx, event, s.random)
		return err
	})
}

// nullable returns nil for the id of nothing.
func nullable(u id.UUID) *id.UUID {
	if u == id.Nil {
		return nil
	}
	return &u
}
