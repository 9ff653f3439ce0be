package gpu

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const twoA100 = `0, GPU-4404041a-04cf-1ccf-9e70-f139a9b1e23c, NVIDIA A100-SXM4-40GB, 40960, 535.129.03, Disabled
1, GPU-b1b2b3b4-04cf-1ccf-9e70-f139a9b1e23d, NVIDIA A100-SXM4-40GB, 40960, 535.129.03, Enabled
`

const list = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-4404041a-04cf-1ccf-9e70-f139a9b1e23c)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-b1b2b3b4-04cf-1ccf-9e70-f139a9b1e23d)
  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 1g.5gb+me   Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)
`

func TestCards(t *testing.T) {
	t.Parallel()
	cards, err := parseCards([]byte(twoA100))
	require.NoError(t, err)
	require.Len(t, cards, 2)
	require.Equal(t, Device{
		ID: "GPU-4404041a-04cf-1ccf-9e70-f139a9b1e23c", Type: "a100", Name: "NVIDIA A100-SXM4-40GB", Memory: 40960, Driver: "535.129.03",
	}, cards[0].Device)
	require.False(t, cards[0].partitioned)
	require.True(t, cards[1].partitioned)

	for name, c := range map[string]struct {
		text string
		want int // -1: an error
	}{
		"nothing":            {"", 0},
		"empty lines":        {"\n\n", 0},
		"unknown fields":     {"0, GPU-1, NVIDIA GB10, [N/A], 580.1, [N/A]\n", 1},
		"carriage returns":   {"0, GPU-1, Tesla T4, 15360, 470.1, [Not Supported]\r\n", 1},
		"no UUID":            {"0, [N/A], Tesla T4, 15360, 470.1, [N/A]\n", -1},
		"a UUID with a list": {"0, \"GPU-1,GPU-2\", Tesla T4, 15360, 470.1, [N/A]\n", -1},
		"one card twice":     {"0, GPU-1, Tesla T4, 1, 2, [N/A]\n1, GPU-1, Tesla T4, 1, 2, [N/A]\n", -1},
		"too few fields":     {"0, GPU-1, Tesla T4\n", -1},
		"a complaint":        {"Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost.\n", -1},
	} {
		cards, err := parseCards([]byte(c.text))
		if c.want < 0 {
			require.Error(t, err, name)
			continue
		}
		require.NoError(t, err, name)
		require.Len(t, cards, c.want, name)
	}
}

func TestInstancesReplaceTheirCard(t *testing.T) {
	t.Parallel()
	cards, err := parseCards([]byte(twoA100))
	require.NoError(t, err)
	devices := instances(cards, []byte(list))
	require.Len(t, devices, 3)
	require.Equal(t, "a100", devices[0].Type)
	require.Equal(t, Device{
		ID: "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f", Type: "a100-3g.20gb", Name: "NVIDIA A100-SXM4-40GB", Driver: "535.129.03",
	}, devices[1])
	require.Equal(t, "a100-1g.5gb-me", devices[2].Type)

	// A card that is to be partitioned and is not yet runs nothing.
	require.Len(t, instances(cards, nil), 1)
}

// FuzzParse holds that whatever nvidia-smi prints, what comes of it may stand in
// an environment variable, once, and in a session.
func FuzzParse(f *testing.F) {
	f.Add(twoA100, list)
	f.Add("0, GPU-1, [N/A], [N/A], [N/A], Enabled\n", "GPU 0: x (UUID: GPU-1)\n  MIG + Device 0: (UUID: MIG-GPU-1/7/0)\n")
	f.Fuzz(func(t *testing.T, table, list string) {
		cards, err := parseCards([]byte(table))
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, d := range instances(cards, []byte(list)) {
			require.False(t, seen[d.ID])
			seen[d.ID] = true
			require.False(t, strings.ContainsAny(d.ID, ", \n=\x00"), d.ID)
			require.True(t, d.Type == "" || ValidType(d.Type), d.Type)
			require.GreaterOrEqual(t, d.Memory, int64(0))
		}
		require.LessOrEqual(t, len(seen), maxDevices)
	})
}
