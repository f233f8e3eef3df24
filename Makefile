SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

CONFIGURATION := release
SWIFT_FILES := Package.swift Sources Tests Benchmarks

.PHONY: all setup build run test lint fmt bench clean

all: build

# Installs what is missing; does nothing where all is there.
setup:
	@scripts/setup.sh

build: setup
	swift build -c $(CONFIGURATION) --product elder-backup

# A sample database is made, backed up, verified, restored and compared, and the service is started on 127.0.0.1:5000
# (LISTEN=HOST:PORT for another address); all of it lies in ./sample afterwards.
run: build
	@LISTEN=$(LISTEN) scripts/run.sh

# One configuration for the product and its tests, so that the dependencies are compiled once. Starts the servers that
# the integration tests need, and stops them.
test: setup
	@scripts/test.sh $(CONFIGURATION)

lint: setup
	swift format lint --strict --recursive --parallel $(SWIFT_FILES)
	@scripts/lint.sh

fmt:
	swift format --in-place --recursive --parallel $(SWIFT_FILES)

# Compares with the sqlite3 tool, with pg_dump and pg_restore, asks the service with wrk, and compares S3 transfers with
# aws-cli, s5cmd and rclone, side by side; takes about half an hour and 20 GB below .build.
bench: build
	swift build -c $(CONFIGURATION) --product s3-transfer
	@Benchmarks/run.sh
	@Benchmarks/postgresql.sh
	@Benchmarks/service.sh
	@Benchmarks/s3.sh

clean:
	rm -rf .build sample
