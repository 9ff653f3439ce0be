package gpu_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/agent/gpu"
)

func TestTypeOf(t *testing.T) {
	t.Parallel()
	for product, want := range map[string]string{
		"NVIDIA A100-SXM4-40GB":               "a100",
		"NVIDIA A100 80GB PCIe":               "a100",
		"A100-PCIE-40GB":                      "a100",
		"NVIDIA A10G":                         "a10g",
		"NVIDIA A2":                           "a2",
		"NVIDIA H100 80GB HBM3":               "h100",
		"NVIDIA H100 NVL":                     "h100",
		"NVIDIA H200":                         "h200",
		"NVIDIA GH200 480GB":                  "gh200",
		"NVIDIA L4":                           "l4",
		"NVIDIA L40S":                         "l40s",
		"Tesla T4":                            "t4",
		"Tesla V100-SXM2-16GB":                "v100",
		"Tesla V100S-PCIE-32GB":               "v100",
		"NVIDIA GeForce RTX 4090":             "rtx-4090",
		"NVIDIA RTX A6000":                    "rtx-a6000",
		"NVIDIA RTX A2 Laptop":                "rtx-a2-laptop",
		"NVIDIA RTX 6000 Ada Generation":      "rtx-6000-ada",
		"Quadro RTX 8000":                     "rtx-8000",
		"NVIDIA GeForce GTX 1080 Ti":          "gtx-1080-ti",
		"NVIDIA":                              "",
		"":                                    "",
		"..":                                  "",
		"NVIDIA Some Thing (Engineering, v2)": "some-thing-engineering-v2",
	} {
		require.Equal(t, want, gpu.TypeOf(product), product)
	}
}

// smi puts an nvidia-smi of a few lines of shell in a folder of its own.
func smi(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nvidia-smi")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700))
	return path
}

const mixed = `cat <<END
0, GPU-a, NVIDIA A100-SXM4-40GB, 40960, 535.1, Disabled
1, GPU-b, Tesla T4, 15360, 535.1, [N/A]
2, GPU-c, NVIDIA A100-SXM4-40GB, 40960, 535.1, Disabled
END
`

func TestFind(t *testing.T) {
	t.Parallel()
	absent := filepath.Join(t.TempDir(), "nvidia-smi")
	several := smi(t, mixed)
	partitioned := smi(t, `case "$1" in
-L) printf 'GPU 0: NVIDIA A100 (UUID: GPU-a)\n  MIG 1g.5gb     Device  0: (UUID: MIG-1)\n  MIG 1g.5gb     Device  1: (UUID: MIG-2)\n' ;;
*) echo "0, GPU-a, NVIDIA A100-SXM4-40GB, 40960, 535.1, Enabled" ;;
esac
`)
	for name, c := range map[string]struct {
		program string
		wish    gpu.Wish
		ids     []string
		kind    string
		remark  string
	}{
		"no nvidia-smi":                {program: absent, wish: gpu.Wish{Most: gpu.All}},
		"none is nothing":              {program: several, wish: gpu.Wish{Type: "a100"}},
		"counted":                      {program: absent, wish: gpu.Wish{Most: 2, Type: "h100"}, ids: []string{"0", "1"}, kind: "h100"},
		"counted without a type":       {program: absent, wish: gpu.Wish{Most: 1}, ids: []string{"0"}},
		"no card":                      {program: smi(t, "echo No devices were found; exit 6\n"), wish: gpu.Wish{Most: gpu.All}},
		"the most common type":         {program: several, wish: gpu.Wish{Most: gpu.All}, ids: []string{"GPU-a", "GPU-c"}, kind: "a100", remark: "2 of 3"},
		"a type of several":            {program: several, wish: gpu.Wish{Most: gpu.All, Type: "T4"}, ids: []string{"GPU-b"}, kind: "T4", remark: "1 of 3"},
		"another name":                 {program: several, wish: gpu.Wish{Most: gpu.All, Type: "ours"}, ids: []string{"GPU-a", "GPU-b", "GPU-c"}, kind: "ours"},
		"fewer than there are":         {program: several, wish: gpu.Wish{Most: 1}, ids: []string{"GPU-a"}, kind: "a100"},
		"more than there are":          {program: several, wish: gpu.Wish{Most: 4}, ids: []string{"GPU-a", "GPU-c"}, kind: "a100", remark: "4 GPUs are to be given away, and 2 are found"},
		"instances":                    {program: partitioned, wish: gpu.Wish{Most: gpu.All}, ids: []string{"MIG-1", "MIG-2"}, kind: "a100-1g.5gb"},
		"instances under another name": {program: partitioned, wish: gpu.Wish{Most: gpu.All, Type: "slice"}, ids: []string{"MIG-1", "MIG-2"}, kind: "slice"},
	} {
		found, err := gpu.Finder{Program: c.program, Wish: c.wish}.Find(t.Context())
		require.NoError(t, err, name)
		require.Equal(t, append([]string{}, c.ids...), found.IDs(), name)
		require.Equal(t, c.kind, found.Type, name)
		require.Contains(t, found.Remark, c.remark, name)
		require.Equal(t, c.remark == "", found.Remark == "", name)
		for _, d := range found.Devices {
			require.Equal(t, c.kind, d.Type, name)
		}
	}
}

func TestFindTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, script := range map[string]string{
		"exit status 9: NVIDIA-SMI has failed": "echo 'NVIDIA-SMI has failed because it could not talk to the driver.'; exit 9\n",
		"read the table of GPUs":               "echo hello\n",
		"exit status 3":                        "test \"$1\" = -L && exit 3; echo '0, GPU-a, NVIDIA A100, 1, 2, Enabled'\n",
	} {
		_, err := gpu.Finder{Program: smi(t, script), Wish: gpu.Wish{Most: gpu.All}}.Find(t.Context())
		require.ErrorContains(t, err, want)
	}
}

func TestParseMost(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"auto": gpu.All, "none": 0, "0": 0, "8": 8} {
		most, err := gpu.ParseMost(text)
		require.NoError(t, err)
		require.Equal(t, want, most)
	}
	for _, text := range []string{"", "-1", "all", "1025", "1.5"} {
		_, err := gpu.ParseMost(text)
		require.Error(t, err, text)
	}
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"CUDA_VISIBLE_DEVICES=GPU-a,GPU-b", "NVIDIA_VISIBLE_DEVICES=GPU-a,GPU-b"}, gpu.Environ([]string{"GPU-a", "GPU-b"}))
	require.Equal(t, []string{"CUDA_VISIBLE_DEVICES=", "NVIDIA_VISIBLE_DEVICES=void"}, gpu.Environ(nil))
}

// TestStockIsExclusive holds that no device has two holders at a time, also while
// devices come and go, that nothing is given that is not there, and that what is
// free is given.
func TestStockIsExclusive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		machine := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}), 0, 6, rapid.ID[string])
		ids := machine.Draw(t, "ids")
		stock := gpu.NewStock(ids)
		held := map[int64][]string{}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				holder, n := rapid.Int64Range(1, 5).Draw(t, "holder"), rapid.IntRange(0, 4).Draw(t, "n")
				free := 0
				for _, id := range ids {
					if !isHeld(held, id) {
						free++
					}
				}
				got, ok := stock.Take(holder, n)
				require.Equal(t, n <= free && len(held[holder]) == 0, ok)
				if !ok {
					require.Empty(t, got)
					return
				}
				require.Len(t, got, n)
				for _, id := range got {
					require.Contains(t, ids, id)
					require.False(t, isHeld(held, id), "%s is held", id)
				}
				if n > 0 {
					held[holder] = slices.Clone(got)
				}
			},
			"return": func(t *rapid.T) {
				holder := rapid.Int64Range(1, 5).Draw(t, "holder")
				stock.Return(holder)
				delete(held, holder)
			},
			"replace": func(t *rapid.T) {
				ids = machine.Draw(t, "ids")
				stock.Replace(ids)
				require.Equal(t, len(ids), stock.Len())
			},
		})
	})
}

func isHeld(held map[int64][]string, id string) bool {
	for _, ids := range held {
		if slices.Contains(ids, id) {
			return true
		}
	}
	return false
}
