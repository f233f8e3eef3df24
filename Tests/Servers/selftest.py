"""Proves the servers, the proxy and the provider simulator with boto3: `servers.sh selftest [PATTERN]`."""

import sys

import selftest_faults  # noqa: F401: the checks register themselves
import selftest_providers  # noqa: F401
import selftest_servers  # noqa: F401
from selftest_support import run_checks

if __name__ == "__main__":
    sys.exit(run_checks(sys.argv[1] if len(sys.argv) > 1 else ""))
