# The starter, the worker and the command line in one small image:
#
#     docker build --build-arg VERSION="$(git describe --tags --always --dirty)" -t tenure:local .

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
ENV CGO_ENABLED=0
RUN go build -ldflags "-X github.com/tenurehq/tenure/internal/service.version=${VERSION}" -o /out/ ./worker ./starter ./cmd/tenure

FROM alpine:3.22.2
COPY --from=build /out/worker /out/starter /out/tenure /usr/local/bin/
# Where the ledger is: a new volume takes over whose the folder is.
RUN install -d -o 10001 -g 10001 -m 700 /var/lib/tenure
USER 10001:10001
WORKDIR /var/lib/tenure
CMD ["worker"]
