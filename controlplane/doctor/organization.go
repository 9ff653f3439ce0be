package doctor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

const sqlListOrganizations = `
	SELECT o.org_id
	FROM organization o
	ORDER BY o.org_id`

// organizations examines one organization after the other, so that the sums of
// only one are in memory.
func (c *checker) organizations(ctx context.Context, tx pgx.Tx) error {
	rows, _ := tx.Query(ctx, sqlListOrganizations)
	orgs, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return fmt.Errorf("list organizations: %w", err)
	}
	for _, org := range orgs {
		derived := replay.Tally{}
		if err := archivedUsage(ctx, tx, org, derived); err != nil {
			return err
		}
		if err := c.runs(ctx, tx, org, derived); err != nil {
			return err
		}
		if err := c.usage(ctx, tx, org, derived); err != nil {
			return err
		}
		if err := c.audit(ctx, tx, org); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) audit(ctx context.Context, tx pgx.Tx, org id.UUID) error {
	v, err := tenancydb.VerifyAuditChain(ctx, tx, org)
	if err != nil {
		return err
	}
	if v.BrokenAt != 0 {
		c.add(KindAudit, org, "the audit log is broken at entry %d of %d: %s.", v.BrokenAt, v.Entries, v.Why)
	}
	return nil
}
