"""What went through the proxy: counted for each operation, with the last requests one by one."""

import collections
import time


class Record:
    """One request: what it asked for, and what became of it."""

    def __init__(self, number, request, faults):
        self.number = number
        self.begun = time.monotonic()
        self.operation = request.operation
        self.method = request.method
        self.bucket = request.bucket
        self.key = request.key
        self.part = request.part
        self.upload = request.upload
        self.range = request.header("range")
        self.faults = faults
        self.status = None
        self.refused = False
        self.outcome = None
        self.received = 0
        self.sent = 0
        self.seconds = None

    def state(self):
        return {name: value for name, value in vars(self).items() if name != "begun"}


class Counters:
    """Totals by operation, since the last reset."""

    KEPT = 20_000  # requests

    def __init__(self):
        self.reset()

    def reset(self):
        self.operations = {}
        self.records = collections.deque(maxlen=self.KEPT)
        self.begun = 0
        self.connections = 0

    def begin(self, request, faults):
        self.begun += 1
        record = Record(self.begun, request, faults)
        self.records.append(record)
        totals = self.operations.setdefault(record.operation, {
            "requests": 0, "refused": 0, "faulted": 0, "cut": 0, "bytes_received": 0, "bytes_sent": 0,
            "in_flight": 0, "peak_in_flight": 0, "statuses": {}})
        totals["requests"] += 1
        totals["faulted"] += bool(faults)
        totals["in_flight"] += 1
        totals["peak_in_flight"] = max(totals["peak_in_flight"], totals["in_flight"])
        return record

    def end(self, record):
        record.seconds = round(time.monotonic() - record.begun, 4)
        totals = self.operations.get(record.operation)
        if totals is None or totals["in_flight"] == 0:
            return  # reset meanwhile
        totals["in_flight"] -= 1
        totals["refused"] += record.refused
        totals["cut"] += record.status is None
        totals["bytes_received"] += record.received
        totals["bytes_sent"] += record.sent
        if record.status is not None:
            status = str(record.status)
            totals["statuses"][status] = totals["statuses"].get(status, 0) + 1

    def state(self):
        return {"requests": self.begun, "connections": self.connections, "operations": self.operations}
