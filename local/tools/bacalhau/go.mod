module skyfleet.local/bacalhau

go 1.25.7

require github.com/bacalhau-project/bacalhau v1.9.0

replace (
	github.com/docker/go-connections => github.com/docker/go-connections v0.5.0
	google.golang.org/genproto => google.golang.org/genproto v0.0.0-20240701130421-f6361c86f094
	google.golang.org/grpc => google.golang.org/grpc v1.64.0
)
