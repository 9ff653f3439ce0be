package work

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/agent/gpu"
	"github.com/signalboxhq/signalbox/agent/link"
)

// TestAccountsOfGPUs holds that a GPU is offered to nobody while a lease may
// need it, that what starts has as many devices as its task asks for and shares
// none, and that what ends gives back all it had.
func TestAccountsOfGPUs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 4, rapid.ID[string])
		foundIn := func(label string) gpu.Found {
			found := gpu.Found{}
			for _, id := range ids.Draw(t, label) {
				found.Devices = append(found.Devices, gpu.Device{ID: id})
			}
			return found
		}
		found := foundIn("found")
		c := newAccounts(link.Capacity{Slots: 4}, found)
		asked, running := map[int64]int{}, map[int64][]string{}
		leases := rapid.Int64Range(1, 6)
		ended, cancel := context.WithCancel(t.Context())
		cancel()

		t.Repeat(map[string]func(*rapid.T){
			"arrive": func(t *rapid.T) {
				lease := leases.Draw(t, "lease")
				if _, known := asked[lease]; known {
					return
				}
				c.arrive(lease, nil)
				free, taken := c.offer()
				taken()
				require.Zero(t, free.GPUs, "its task may want every one")
				need := rapid.IntRange(0, 4).Draw(t, "need")
				if !c.charge(lease, link.Capacity{Slots: 1, GPUs: need}) {
					require.Greater(t, need, len(found.Devices))
					c.release(lease)
					return
				}
				asked[lease] = need
			},
			"start": func(t *rapid.T) {
				lease := leases.Draw(t, "lease")
				need, known := asked[lease]
				if _, runs := running[lease]; runs || !known {
					return
				}
				devices, err := c.start(ended, lease)
				if err != nil {
					require.Equal(t, need > len(found.Devices), errors.Is(err, errNoRoom), "only what can never fit is sent away")
					return
				}
				require.Len(t, devices, need)
				for _, id := range devices {
					require.Contains(t, found.IDs(), id)
					for other, theirs := range running {
						require.False(t, slices.Contains(theirs, id), "lease %d has it", other)
					}
				}
				running[lease] = devices
			},
			"end": func(t *rapid.T) {
				lease := leases.Draw(t, "lease")
				if _, known := asked[lease]; known {
					c.release(lease)
					delete(asked, lease)
					delete(running, lease)
				}
			},
			"find": func(*rapid.T) {
				found = foundIn("again")
				c.equip(found)
			},
			"": func(t *rapid.T) {
				free, taken := c.offer()
				defer taken()
				sum := 0
				for _, need := range asked {
					sum += need
				}
				require.LessOrEqual(t, free.GPUs, max(0, len(found.Devices)-sum))
				if len(asked) == 0 {
					require.Equal(t, len(found.Devices), free.GPUs)
				}
			},
		})
	})
}

// A poll that offers a part only must soon be over: a task that needs all of a
// machine fits neither into it nor into what was offered beside it.
func TestAnOfferIsWhole(t *testing.T) {
	t.Parallel()
	c := newAccounts(link.Capacity{Slots: 4}, gpu.Found{})
	all, taken := c.offer()
	require.True(t, c.whole(all))
	taken()

	c.arrive(1, nil)
	part, taken := c.offer()
	require.EqualValues(t, 3, part.Slots)
	require.False(t, c.whole(part), "a lease runs")
	c.release(1)
	rest, reported := c.offer() // with the report
	require.EqualValues(t, 1, rest.Slots)
	require.False(t, c.whole(part), "a report offers the rest")
	reported()
	taken()
	all, taken = c.offer()
	defer taken()
	require.True(t, c.whole(all))
}
