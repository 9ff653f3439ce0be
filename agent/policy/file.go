package policy

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// file is the policy as it is written.
type file struct {
	Allow struct {
		Pipelines []string `toml:"pipelines"`
		Commands  []string `toml:"commands"`
		Scripts   bool     `toml:"scripts"`
		Env       []string `toml:"env"`
		Secrets   []string `toml:"secrets"`
		Paths     []string `toml:"paths"`
	} `toml:"allow"`
	Max struct {
		Run    string  `toml:"run"`
		CPU    float64 `toml:"cpu"`
		Memory string  `toml:"memory"`
	} `toml:"max"`
}

// Load reads a policy file. An unknown key is an error: a rule that is spelled
// wrong must not be a rule that is not there.
func Load(path string) (*Policy, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	p, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", path, err)
	}
	return p, nil
}

// Parse reads a policy from the bytes of its file.
func Parse(content []byte) (*Policy, error) {
	var f file
	decoder := toml.NewDecoder(bytes.NewReader(content)).DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return nil, explain(err)
	}
	digest := sha256.Sum256(content)
	p := &Policy{
		digest:    digest[:],
		pipelines: f.Allow.Pipelines, commands: f.Allow.Commands, scripts: f.Allow.Scripts,
		env: f.Allow.Env, secrets: f.Allow.Secrets, paths: f.Allow.Paths,
	}
	var err error
	if f.Max.Run != "" {
		if p.maxRun, err = time.ParseDuration(f.Max.Run); err != nil || p.maxRun <= 0 {
			return nil, fmt.Errorf("max.run: want a duration as in 90s or 12h, got %q", f.Max.Run)
		}
	}
	if f.Max.CPU < 0 || f.Max.CPU > 1e6 || math.IsNaN(f.Max.CPU) {
		return nil, fmt.Errorf("max.cpu: want a number of cores, got %g", f.Max.CPU)
	}
	p.maxCPU = int64(math.Round(f.Max.CPU * 1000))
	if f.Max.Memory != "" {
		if p.maxMemory, err = parseSize(f.Max.Memory); err != nil {
			return nil, fmt.Errorf("max.memory: %w", err)
		}
	}
	return p, nil
}

// explain puts the parser's errors into one line that says where.
func explain(err error) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(strict.Errors) > 0 {
		first := strict.Errors[0]
		row, column := first.Position()
		return fmt.Errorf("line %d, column %d: unknown key %q", row, column, strings.Join(first.Key(), "."))
	}
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := wrong.Position()
		return fmt.Errorf("line %d, column %d: %w", row, column, err)
	}
	return err
}

var sizePattern = regexp.MustCompile(`^(\d{1,9})([KMGT]i?)B?$`)

// parseSize reads an IEC size: 512Mi, 64GiB.
func parseSize(text string) (int64, error) {
	parts := sizePattern.FindStringSubmatch(text)
	if parts == nil || len(parts[2]) != 2 {
		return 0, fmt.Errorf("want a size as in 512Mi or 64GiB, got %q", text)
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("want a size as in 512Mi or 64GiB, got %q", text)
	}
	shift := map[byte]int{'K': 10, 'M': 20, 'G': 30, 'T': 40}[parts[2][0]]
	if n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is too large", text)
	}
	return n << shift, nil
}
