module github.com/signalboxhq/signalbox/agent

go 1.26.0

require (
	github.com/pelletier/go-toml/v2 v2.2.4
	github.com/sethvargo/go-envconfig v1.4.3
	github.com/signalboxhq/signalbox/proto v0.0.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/sys v0.49.0
	pgregory.net/rapid v1.3.0
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect

replace github.com/signalboxhq/signalbox/proto => ../proto
