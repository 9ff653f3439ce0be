package tenancyapi

import (
	"context"

	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// audits serves AuditService.
type audits struct{ Config }

// ListAuditEntries returns a page of the audit log, the newest entry first.
func (s audits) ListAuditEntries(ctx context.Context, req *tenancyv1.ListAuditEntriesRequest) (*tenancyv1.ListAuditEntriesResponse, error) {
	limit := tenancydb.DefaultAuditPage
	if asked := req.GetLimit(); asked > 0 {
		limit = int(min(asked, tenancydb.MaxAuditPage))
	}
	entries, err := s.Store.ListAudit(ctx, caller.From(ctx), req.GetBefore(), limit)
	if err != nil {
		return nil, err
	}
	res := &tenancyv1.ListAuditEntriesResponse{Entries: convert(entries, toAuditEntry)}
	if n := len(entries); n == limit && entries[n-1].Seq > 1 {
		res.NextBefore = entries[n-1].Seq
	}
	return res, nil
}

// VerifyAudit recomputes the chain.
func (s audits) VerifyAudit(ctx context.Context, _ *tenancyv1.VerifyAuditRequest) (*tenancyv1.VerifyAuditResponse, error) {
	v, err := s.Store.VerifyAudit(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	return &tenancyv1.VerifyAuditResponse{Intact: v.BrokenAt == 0, Entries: v.Entries, BrokenAt: v.BrokenAt, Head: v.Head}, nil
}
