package agentdb

import (
	"context"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// Origin is where and when an agent's request came in, for the audit log.
type Origin struct {
	At        time.Time
	IP        string // without port; empty when unknown
	RequestID string
	// Random salts the entry; crypto/rand.Reader outside tests.
	Random io.Reader
}

// record writes what an agent did, as the last statement of tx.
func (o Origin) record(ctx context.Context, tx pgx.Tx, a Agent, action, resource string, detail map[string]string) error {
	return tenancydb.RecordEvent(ctx, tx, audit.Event{
		At: o.At, OrgID: a.Org, WorkspaceID: a.Workspace, Actor: audit.Actor{Type: audit.ActorAgent, ID: a.ID},
		Action: action, Resource: resource, RequestID: o.RequestID, Outcome: audit.OutcomeDone,
		Personal: audit.Personal{ActorName: id.Format(id.Agent, a.ID), IP: o.IP},
	}, detail, o.Random)
}
