module e2e.invalid/go-client

go 1.23

require github.com/docker/docker-credential-helpers v0.9.12
