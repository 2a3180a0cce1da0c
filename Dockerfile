# The starter, the worker and the command line in one small image. It contains nothing
# else: no shell, no package manager.
#
#     docker build --build-arg VERSION="$(git describe --tags --always --dirty)" -t tenure:local .

FROM golang:1.26.8-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
# Without cgo, because the image has no libc.
ENV CGO_ENABLED=0
RUN go build -ldflags "-X github.com/tenurehq/tenure/service.version=${VERSION}" -o /out/ ./worker ./starter ./cmd/tenure
RUN mkdir /state

FROM scratch
# The authorities that apps' certificates are signed by.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/worker /out/starter /out/tenure /usr/local/bin/
# For a ledger in a file. A new volume gets the owner of this folder.
COPY --from=build --chown=10001:10001 /state /var/lib/tenure
ENV PATH=/usr/local/bin
USER 10001:10001
WORKDIR /var/lib/tenure
CMD ["worker"]
