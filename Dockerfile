# syntax=docker/dockerfile:1
# docker build --tag elder-backup .
FROM swift:6.2-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libdeflate-dev libisal-dev libpq-dev libsqlite3-dev libxxhash-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
COPY Benchmarks Benchmarks
RUN swift build -c release --product elder-backup \
    && install -D -m 0755 -s .build/release/elder-backup /out/elder-backup

FROM swift:6.2-bookworm-slim
# pg_dump must be as new as the server: for a later one than Debian's, install postgresql-client-NN from apt.postgresql.org.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libdeflate0 libisal2 libpq5 libsqlite3-0 libxxhash0 \
        postgresql-client tini tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 elder-backup \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/elder/backups --shell /usr/sbin/nologin elder-backup \
    && install -d -m 0700 -o 10001 -g 10001 /var/lib/elder/backups
COPY --from=build /out/elder-backup /usr/local/bin/elder-backup
USER 10001:10001
WORKDIR /var/lib/elder/backups
VOLUME /var/lib/elder/backups
ENV BACKUP_LISTEN=0.0.0.0:5000
EXPOSE 5000
# Runs may end for ten minutes: stop with --time 660.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["/usr/local/bin/elder-backup", "health"]
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/elder-backup"]
CMD ["serve"]
