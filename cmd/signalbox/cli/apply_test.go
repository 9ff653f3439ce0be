package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// folder is a desk with two pipelines and other things in pipelines/.
func folder(t *testing.T) *desk {
	t.Helper()
	d := setup(t)
	d.fake.others = true
	require.NoError(t, os.MkdirAll(filepath.Join(d.dir, "pipelines", "below"), 0o750))
	d.write("pipelines/b.yml", "name: bravo\n")
	d.write("pipelines/a.yaml", "name: alpha\n")
	d.write("pipelines/.hidden.yaml", "nonsense")
	d.write("pipelines/notes.md", "nonsense")
	d.write("pipelines/below/c.yaml", "nonsense")
	return d
}

func TestApplyTakesFilesAndFolders(t *testing.T) {
	t.Parallel()
	d := folder(t)
	r := d.run("apply", "pipelines", "pipeline.yaml", "pipeline.yaml")
	require.Zero(t, r.code, r.err)
	require.Equal(t, `FILE              PIPELINE  APPLIED
pipelines/a.yaml  alpha     new version 689756bc6543, deployed
pipelines/b.yml   bravo     new version 689756bc6543, deployed
pipeline.yaml     train     new version 689756bc6543, deployed
`, r.out)
	require.Len(t, d.fake.called("ApplyPipeline"), 3)
	require.Equal(t, "alpha\nbravo\n", d.run("apply", "pipelines", "-o", "name").out)
	require.Equal(t, "bravo\n", d.run("apply", "pipelines", "--json", "--jq", ".applied[1].pipeline.name").out)
}

func TestNothingIsAppliedUnlessAllCompile(t *testing.T) {
	t.Parallel()
	d := folder(t)
	r := d.run("apply", "pipelines", "broken.yaml")
	require.Equal(t, 65, r.code)
	require.Contains(t, r.err, "broken.yaml:")
	require.Contains(t, r.err, "Nothing was uploaded.")
	d.write("pipelines/same.yaml", "name: alpha\n")
	r = d.run("apply", "pipelines")
	require.Equal(t, 65, r.code)
	require.Contains(t, r.err, `pipelines/a.yaml and pipelines/same.yaml are both pipeline "alpha"`)
	require.Empty(t, d.fake.called("ApplyPipeline"))
	require.Equal(t, 65, d.run("apply", "pipelines", "nowhere.yaml").code)
	require.Equal(t, 65, d.run("apply", ".git", "pipelines").code)
}

// What one file is refused for stops no other, and is the exit code.
func TestApplyReportsEachFile(t *testing.T) {
	t.Parallel()
	d := folder(t)
	d.write("pipelines/aa.yaml", "name: locked\n")
	r := d.run("apply", "pipelines")
	require.Equal(t, 5, r.code)
	require.Contains(t, r.err, "pipelines/aa.yaml: you may not")
	require.Contains(t, r.out, "pipelines/aa.yaml  -         refused\n")
	require.Contains(t, r.out, "pipelines/b.yml    bravo     new version")
}
