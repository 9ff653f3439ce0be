package tenancydb

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Recomputing audit logs must not take all connections of the API.
func TestOnlyAFewAuditLogsAreVerifiedAtOnce(t *testing.T) {
	t.Parallel()
	s := NewStore(nil, nil, nil, nil)
	for range maxVerifying {
		s.verifying <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.VerifyAudit(ctx, caller.Caller{})
	require.ErrorIs(t, err, context.Canceled, "it waits for its turn, without a connection")
}
