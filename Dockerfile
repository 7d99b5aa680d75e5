# syntax=docker/dockerfile:1

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ARG COMMIT=unknown
RUN CGO_ENABLED=0 go build -trimpath \
    -ldflags="-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" \
    -o /out/latchkey ./cmd/web
RUN mkdir -p /out/data

# This image has no shell and no package manager. The user nonroot is 65532.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/latchkey /latchkey
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
ENV LATCHKEY_ADDR=:8080 \
    LATCHKEY_DATABASE_URL=sqlite:/data/latchkey.db
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/latchkey", "healthcheck"]
ENTRYPOINT ["/latchkey"]
