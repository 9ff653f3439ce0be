package rundb

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Approval is one that is open.
type Approval struct {
	RunID        id.UUID
	Task         int32
	Pipeline     string
	Number       int64
	Path         string
	Actor        string // who started the run
	RetriedBy    string
	Since        time.Time
	Until        *time.Time
	Required     int32
	Approved     int32
	Voters       []string
	NotRequester bool

	PipelineID id.UUID
	Digest     []byte

	// Requester is Actor by name.
	Requester string `db:"-"`
	// Text is what those who vote are asked, in plain text; else Answer is what an
	// agent made of it, encoded. Neither: nothing is asked.
	Text   string `db:"-"`
	Answer []byte `db:"-"`
}

// place is where a page ends.
type approvalPlace struct {
	Since time.Time `json:"since"`
	Run   id.UUID   `json:"run"`
	Task  int32     `json:"task"`
}

const sqlListApprovals = `
	SELECT a.run_id, a.task, p.name AS pipeline, r.number, a.path, r.actor, a.retried_by, a.since, a.until, a.required, a.approved,
		a.voters, a.not_requester, r.pipeline_id, r.digest
	FROM approval a
	JOIN run r ON r.org_id = a.org_id AND r.id = a.run_id
	JOIN pipeline p ON p.org_id = r.org_id AND p.id = r.pipeline_id
	WHERE a.org_id = @org_id
		AND a.workspace_id = @workspace_id
		AND (a.since, a.run_id, a.task) > (@since, @run_id, @task)
	ORDER BY a.since, a.run_id, a.task
	LIMIT @limit`

// ListApprovals returns a page of the workspace's open approvals, the longest
// waiting first, and the token of the next one; empty when there is none.
// Errors: INVALID_ARGUMENT for a token that is none.
func (s *Store) ListApprovals(ctx context.Context, by caller.Caller, size int, token string) ([]Approval, string, error) {
	var from approvalPlace
	if token != "" {
		b, err := base64.RawURLEncoding.DecodeString(token)
		if err == nil {
			err = json.Unmarshal(b, &from)
		}
		if err != nil {
			return nil, "", invalid("page_token", "one that a page was answered with")
		}
	}
	size = Filter{PageSize: size}.size()
	var list []Approval
	more := false
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlListApprovals, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "since": from.Since, "run_id": from.Run, "task": from.Task, "limit": size + 1,
		})
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByName[Approval]); err != nil {
			return fmt.Errorf("list approvals: %w", err)
		}
		if more = len(list) > size; more {
			list = list[:size]
		}
		if err := s.readMessages(ctx, tx, by.OrgID, list); err != nil {
			return err
		}
		return nameRequesters(ctx, tx, by.OrgID, list)
	})
	if err != nil || !more {
		return list, "", err
	}
	last := list[size-1]
	next, err := json.Marshal(approvalPlace{last.Since, last.RunID, last.Task})
	return list, base64.RawURLEncoding.EncodeToString(next), err
}

// readMessages fills in what those who vote are asked.
func (s *Store) readMessages(ctx context.Context, tx pgx.Tx, org id.UUID, list []Approval) error {
	asking := map[id.UUID][]int32{}
	for i := range list {
		a := &list[i]
		g, err := s.graph(ctx, tx, org, a.PipelineID, plan.Digest(a.Digest))
		if err != nil {
			return err
		}
		t, _, ok := g.Plan.Task(indexes.ReplaceAllLiteralString(a.Path, ""))
		switch {
		case !ok || t.Approve == nil:
		case upstream.Asks(t):
			asking[a.RunID] = append(asking[a.RunID], a.Task)
		default:
			a.Text = t.Approve.Text
		}
	}
	for run, tasks := range asking {
		answers, err := journal.Answers(ctx, tx, org, run, tasks)
		if err != nil {
			return err
		}
		for i := range answers {
			k := slices.IndexFunc(list, func(a Approval) bool { return a.RunID == run && a.Task == answers[i].Task })
			list[k].Answer = answers[i].Bytes
		}
	}
	return nil
}

func nameRequesters(ctx context.Context, tx pgx.Tx, org id.UUID, list []Approval) error {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = list[i].Actor
	}
	names, err := actor.Names(ctx, tx, org, texts)
	for i := range list {
		list[i].Requester = actor.Name(names, list[i].Actor)
	}
	return err
}

// FindApproval returns the run that ref means and what its plan says of the
// approval of that path, which may not be open. Errors: NotFound (run or task),
// NOT_AN_APPROVAL.
func (s *Store) FindApproval(ctx context.Context, by caller.Caller, ref Ref, path string) (Run, *plan.Approve, error) {
	run, g, state, err := s.folded(ctx, by, ref)
	if err != nil {
		return Run{}, nil, err
	}
	task, found := g.Find(state, path)
	if !found {
		return Run{}, nil, fault.NotFound("task", path)
	}
	p := g.Task(state, task).Approve
	if p == nil {
		return Run{}, nil, fault.Invalid("NOT_AN_APPROVAL", "task %q is no approval", path)
	}
	return run, p, nil
}
