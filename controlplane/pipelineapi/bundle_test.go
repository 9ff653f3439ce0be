package pipelineapi_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pipelineapi"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// bundle is the service on a database of its own.
type bundle struct {
	t  *testing.T
	db *pg.DB
	h  *pipelineapi.Handler
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := pgtest.DB(t)
	return &bundle{t: t, db: db, h: pipelineapi.New(db, &woken{}, rand.Reader, time.Now)}
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := b.db.Engine.Exec(b.t.Context(), sql, args)
	require.NoError(b.t, err)
}

// tenant makes an organization with a workspace and returns the context of its
// owner's requests.
func (b *bundle) tenant(slug string) context.Context {
	b.t.Helper()
	c := caller.Caller{Principal: authz.Principal{
		Kind: authz.KindUser, UserID: id.New(), Email: slug + "@example.com", Name: "Mara of " + slug,
		OrgID: id.New(), WorkspaceID: id.New(), OrgState: authz.StateActive, OrgRole: authz.OrgOwner,
	}}
	args := pgx.NamedArgs{"org": c.OrgID, "ws": c.WorkspaceID, "user": c.UserID, "slug": slug, "email": c.Email, "name": c.Name, "m": id.New()}
	b.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, @slug, @slug)`, args)
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`, args)
	_, err := b.db.Auth.Exec(b.t.Context(), `INSERT INTO users (id, email, email_key, name, verified_at) VALUES (@user, @email, @email, @name, now())`, args)
	require.NoError(b.t, err)
	b.exec(`INSERT INTO membership (org_id, id, user_id, role, created_at) VALUES (@org, @m, @user, 'owner', now())`, args)
	return caller.With(b.t.Context(), c)
}

// neighbour is the same caller in another workspace of the organization.
func (b *bundle) neighbour(ctx context.Context) context.Context {
	b.t.Helper()
	c := caller.From(ctx)
	c.WorkspaceID = id.New()
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'other', 'Other')`, pgx.NamedArgs{"org": c.OrgID, "ws": c.WorkspaceID})
	return caller.With(ctx, c)
}

func (b *bundle) apply(ctx context.Context, source string) *pipelinev1.ApplyPipelineResponse {
	b.t.Helper()
	res, err := b.h.ApplyPipeline(ctx, &pipelinev1.ApplyPipelineRequest{Source: []byte(source), Filename: "p.yaml"})
	require.NoError(b.t, err)
	return res
}

// source is a pipeline of one task that says a word.
func source(name, word string) string {
	return strings.Join([]string{"signalbox: v1", "name: " + name, "tasks:", "  say: {command: [echo, " + word + "]}", ""}, "\n")
}
