package session

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
)

// Whoever comes while a look-up is under way is answered by the next one, which
// all of them share.
func TestRequestsShareTheNextLookUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var all together
		var looked atomic.Int32
		gate := make(chan struct{})
		look := func(context.Context) (authz.Principal, error) {
			n := looked.Add(1)
			<-gate
			return authz.Principal{KeyID: id.UUID{byte(n)}}, nil
		}
		ask := func(what asked) (found chan byte) {
			found = make(chan byte, 1)
			go func() {
				p, err := all.do(t.Context(), what, look)
				require.NoError(t, err)
				found <- p.KeyID[0]
			}()
			synctest.Wait()
			return found
		}
		first := ask(asked{})
		second, third := ask(asked{}), ask(asked{})
		elsewhere := ask(asked{ip: "2001:db8::1"})
		require.EqualValues(t, 2, looked.Load(), "another place is looked up by itself")
		gate <- struct{}{}
		gate <- struct{}{}
		synctest.Wait()
		require.EqualValues(t, 1, <-first)
		require.EqualValues(t, 2, <-elsewhere)
		require.EqualValues(t, 3, looked.Load(), "those that came meanwhile share one")
		fourth := ask(asked{})
		close(gate)
		require.EqualValues(t, 3, <-second)
		require.EqualValues(t, 3, <-third)
		require.EqualValues(t, 4, <-fourth, "who came later is not answered by what was read before")
		synctest.Wait()
		require.Empty(t, all.flights)
	})
}

// A caller who goes away leaves those beside it their answer; a panic leaves them
// an error.
func TestALookUpOutlivesWhoBeganIt(t *testing.T) {
	t.Parallel()
	var all together
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := all.do(ctx, asked{}, func(ctx context.Context) (authz.Principal, error) { return authz.Principal{}, ctx.Err() })
	require.NoError(t, err)
	require.Panics(t, func() {
		_, _ = all.do(t.Context(), asked{}, func(context.Context) (authz.Principal, error) { panic("spilt") })
	})
	require.Empty(t, all.flights)
}

func TestManyLookUpsEnd(t *testing.T) {
	t.Parallel()
	var all together
	var looked atomic.Int32
	var everybody sync.WaitGroup
	for range 64 {
		everybody.Go(func() {
			for range 100 {
				before := looked.Load()
				p, err := all.do(t.Context(), asked{}, func(context.Context) (authz.Principal, error) {
					return authz.Principal{Name: string(looked.Add(1))}, nil
				})
				require.NoError(t, err)
				require.Greater(t, []rune(p.Name)[0], before, "it was looked up after it was asked for")
			}
		})
	}
	everybody.Wait()
	require.Empty(t, all.flights)
}
