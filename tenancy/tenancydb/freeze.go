package tenancydb

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// maxNote is the CHECK of the table.
const maxNote = 500

const sqlLockOrganization = `
	SELECT ` + organizationColumns + `
	  FROM organization o
	 WHERE o.org_id = @org_id
	   FOR NO KEY UPDATE`

const sqlFreeze = `
	UPDATE organization
	   SET frozen_at = @frozen_at,
	       freeze_note = @note
	 WHERE org_id = @org_id`

// Freeze keeps the agents of the organization from getting anything new, until
// Unfreeze. What they hold they finish. An organization that is frozen keeps the
// moment, and gets the new note. Errors: INVALID_ARGUMENT.
func (s *Store) Freeze(ctx context.Context, by caller.Caller, note string) (Organization, error) {
	if utf8.RuneCountInString(note) > maxNote || !utf8.ValidString(note) || strings.ContainsFunc(note, unicode.IsControl) {
		return Organization{}, fault.Invalid("INVALID_ARGUMENT", "note: one line of at most %d characters", maxNote)
	}
	return s.setFrozen(ctx, by, "org.freeze", func(o *Organization) bool {
		changed := o.FrozenAt == nil || o.FreezeNote != note
		if o.FrozenAt == nil {
			o.FrozenAt = new(s.now())
		}
		o.FreezeNote = note
		return changed
	})
}

// Unfreeze lets work go on.
func (s *Store) Unfreeze(ctx context.Context, by caller.Caller) (Organization, error) {
	return s.setFrozen(ctx, by, "org.unfreeze", func(o *Organization) bool {
		changed := o.FrozenAt != nil
		o.FrozenAt, o.FreezeNote = nil, ""
		return changed
	})
}

// setFrozen records what change makes of the organization. The note is a
// person's words and stays out of the audit log, which nobody can correct.
func (s *Store) setFrozen(ctx context.Context, by caller.Caller, action string, change func(*Organization) bool) (Organization, error) {
	var org Organization
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlLockOrganization, pgx.StrictNamedArgs{"org_id": by.OrgID})
		if org, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Organization]); err != nil {
			return pg.NotFoundAs(fmt.Errorf("lock the organization: %w", err), fault.NotFound("organization", id.Format(id.Org, by.OrgID)))
		}
		if !change(&org) {
			return nil
		}
		_, err = tx.Exec(ctx, sqlFreeze, pgx.StrictNamedArgs{"org_id": by.OrgID, "frozen_at": org.FrozenAt, "note": org.FreezeNote})
		if err != nil {
			return fmt.Errorf("freeze or unfreeze the organization: %w", err)
		}
		return s.record(ctx, tx, by.Event(action, id.Format(id.Org, by.OrgID)))
	})
	return org, err
}
