package config

import (
	"time"

	"github.com/signalboxhq/signalbox/agent/secret"
)

// Config is the configuration of one agent. The env tag names a setting in all
// places (LOG_LIMIT: --log-limit, SIGNALBOX_AGENT_LOG_LIMIT, log_limit), the
// usage tag is its help.
type Config struct {
	Server   string       `env:"SERVER" usage:"URL of the control plane, needed at the first start only"`
	Token    secret.Value `env:"TOKEN" usage:"join token (sbj_…), needed at the first start only"`
	Insecure bool         `env:"INSECURE, default=false" usage:"talk plain HTTP to a server that is not this machine"`

	Name    string            `env:"NAME" usage:"name of the agent; default: the host's name"`
	Labels  map[string]string `env:"LABELS, separator==" usage:"labels that tasks may select, as in zone=eu-1,disk=ssd"`
	Address string            `env:"ADDRESS" usage:"host name or IP by which other agents reach this one, for gangs; default: the first IP that is not loopback, else the host's name"`
	Dir     string            `env:"DIR" usage:"folder of the agent's keys, logs and artifacts; default: ~/.signalbox-agent"`

	Slots  int   `env:"SLOTS, default=0" usage:"attempts at a time; 0: one for each core"`
	CPU    int64 `env:"CPU_MILLIS, default=0" usage:"thousandths of a core to give away; 0: all there are"`
	Memory int64 `env:"MEMORY_BYTES, default=0" usage:"bytes of memory to give away; 0: all there is"`

	GPUs    string `env:"GPUS, default=auto" usage:"GPUs to give away: a number, none, or auto for those that nvidia-smi lists"`
	GPUType string `env:"GPU_TYPE" usage:"what pipelines call these GPUs, as in a100; of several types the one to give away; default: derived from the product's name"`

	WorkspaceKeys string `env:"WORKSPACE_KEYS" usage:"file of exported workspace keys to import at the start, for instance of a Secret"`

	Policy    string   `env:"POLICY" usage:"policy file (TOML); none: everything is allowed"`
	Sources   string   `env:"SOURCES, default=." usage:"folder that a relative source path of a pipeline starts from"`
	Artifacts string   `env:"ARTIFACTS" usage:"folder that all agents of the pool share; default: this agent's own"`
	PassEnv   []string `env:"PASS_ENV, default=PATH,HOME,USER,LANG,LC_ALL,TZ,TMPDIR,LD_LIBRARY_PATH" usage:"variables of the agent that steps inherit"`

	LogLimit          int64         `env:"LOG_LIMIT, default=67108864" usage:"bytes kept of one attempt's log"`
	LogTotal          int64         `env:"LOG_TOTAL, default=10737418240" usage:"bytes kept of all logs; the oldest go first"`
	LogRetention      time.Duration `env:"LOG_RETENTION, default=720h" usage:"how long logs are kept"`
	ArtifactRetention time.Duration `env:"ARTIFACT_RETENTION, default=720h" usage:"how long artifacts on the agent's own disk are kept"`

	DrainGrace time.Duration `env:"DRAIN_GRACE, default=30s" usage:"time for steps between TERM and KILL at the second signal"`
	LogLevel   string        `env:"LOG_LEVEL, default=info" usage:"the agent's own log: debug, info, warn or error"`
	LogFormat  string        `env:"LOG_FORMAT, default=text" usage:"the agent's own log: text or json"`
}
