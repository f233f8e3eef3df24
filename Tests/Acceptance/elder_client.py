"""Calls the service as a client that was written for Elder does: every route, with the fields and statuses of Elder's.

usage: elder_client.py BASE_URL TOKEN    (BASE_URL without /api/v1/backup)

Ends with 0 when all went well; else it prints what differed.
"""
import gzip
import io
import json
import sys

import requests

RECORD = {
    "id", "job_id", "filename", "file_path", "file_size", "record_count", "status", "error_message", "started_at",
    "completed_at", "duration_seconds", "s3_url", "s3_key", "created_at", "updated_at",
}
JOB = {
    "id", "name", "schedule", "retention_days", "enabled", "description", "s3_enabled", "s3_endpoint", "s3_bucket",
    "s3_region", "s3_access_key", "s3_secret_key", "s3_prefix", "last_run_at", "created_at", "updated_at",
}


class Elder:
    def __init__(self, base, token):
        self.base = base + "/api/v1/backup"
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Bearer " + token

    def call(self, method, path, expected, **arguments):
        answer = self.session.request(method, self.base + path, timeout=120, **arguments)
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text[:400]}"
        return answer


def check(value, message):
    assert value, message


def jobs(elder):
    refused = elder.call("POST", "/jobs", 400, json={}).json()
    check("name" in refused["error"] and "is required" in refused["error"], refused)
    made = elder.call("POST", "/jobs", 201, json={
        "name": "nightly", "schedule": "0 2 * * *", "retention_days": 14, "enabled": True, "description": "every night",
        "include_tables": None, "exclude_tables": ["sessions"], "s3_enabled": False,
    }).json()
    check(JOB <= set(made), f"a job lacks {JOB - set(made)}")
    check(made["retention_days"] == 14 and made["schedule"] == "0 2 * * *", made)
    listed = elder.call("GET", "/jobs", 200, params={"enabled": "true"}).json()
    check(listed["count"] == len(listed["jobs"]) and made["id"] in [job["id"] for job in listed["jobs"]], listed)
    check(elder.call("GET", f"/jobs/{made['id']}", 200).json()["name"] == "nightly", "another job")
    changed = elder.call("PUT", f"/jobs/{made['id']}", 200, json={"retention_days": 7, "exclude_tables": []}).json()
    check(changed["retention_days"] == 7, changed)
    elder.call("GET", "/jobs/999999", 404)
    return made["id"]


def run(elder, job):
    result = elder.call("POST", f"/jobs/{job}/run", 202).json()
    for key in ("success", "backup_id", "filename", "file_size", "record_count", "duration_seconds", "s3_uploaded"):
        check(key in result, f"the result lacks {key}: {result}")
    check(result["success"] is True and result["record_count"] > 0, result)
    elder.call("POST", "/jobs/999999/run", 404)
    return result


def backups(elder, job, result):
    number = result["backup_id"]
    listed = elder.call("GET", "", 200, params={"job_id": job, "limit": 10}).json()
    check(listed["count"] == len(listed["backups"]) and listed["backups"][0]["id"] == number, listed)
    record = elder.call("GET", f"/{number}", 200).json()
    check(RECORD <= set(record), f"a backup lacks {RECORD - set(record)}")
    check(record["status"] == "completed", record)
    elder.call("GET", "/999999", 404)
    file = elder.call("GET", f"/{number}/download", 200)
    check(result["filename"] in file.headers["Content-Disposition"], file.headers)
    archive = json.loads(gzip.decompress(file.content))
    check({"version", "tables"} <= set(archive) and archive["job_name"] == "nightly", sorted(archive))
    check(len(file.content) == record["file_size"], "the file has another size")
    elder.call("GET", "/999999/download", 404)
    return number, file.content


def restore(elder, number):
    wish = {"dry_run": True, "restore_options": {"tables": ["dependencies"], "clear_existing": True, "regenerate_ids": False}}
    done = elder.call("POST", f"/{number}/restore", 202, json=wish).json()
    for key in ("backup_id", "dry_run", "restored_tables", "total_records", "restored_counts", "errors"):
        check(key in done, f"the answer lacks {key}: {done}")
    check(done["dry_run"] is True and done["errors"] == {} and done["restored_counts"]["dependencies"] > 0, done)
    done = elder.call("POST", f"/{number}/restore", 202, json={"restore_options": {"clear_existing": True}}).json()
    check(done["dry_run"] is False and done["total_records"] > 0, done)
    elder.call("POST", "/999999/restore", 404, json={"dry_run": True})


def export(elder):
    for form in ("json", "csv", "xml"):
        made = elder.call("POST", "/export", 202, json={
            "format": form, "resource_types": ["organization", "entity"], "filters": {}}).json()
        for key in ("success", "format", "filename", "file_size", "resource_types", "record_counts"):
            check(key in made, f"the answer lacks {key}: {made}")
        check(made["record_counts"]["organization"] > 0, made)
        file = elder.call("GET", f"/export/{made['filename']}/download", 200)
        check(len(file.content) == made["file_size"], f"{made['filename']} has another size")
    elder.call("POST", "/export", 400, json={"format": "pdf", "resource_types": ["entity"]})
    elder.call("GET", "/export/nothing.json/download", 404)


def take_in(elder, content):
    # What the whole archive holds is there already, so that only a trial goes through.
    form = {"file": ("backup.json.gz", io.BytesIO(content), "application/gzip")}
    answer = elder.session.post(elder.base + "/import", files=form, data={"dry_run": "true"}, timeout=120)
    check(answer.status_code in (202, 409), answer.text[:300])
    if answer.status_code == 202:
        check({"dry_run", "imported_tables", "total_records", "imported_counts", "errors"} <= set(answer.json()), answer.text)
    elder.call("POST", "/import", 400, files={"file": ("a.txt", b"no archive", "text/plain")})


def main():
    base, token = sys.argv[1:]
    check(requests.get(base + "/api/v1/backup", timeout=10).status_code == 401, "no token was needed")
    elder = Elder(base, token)
    job = jobs(elder)
    result = run(elder, job)
    number, content = backups(elder, job, result)
    restore(elder, number)
    export(elder)
    take_in(elder, content)
    figures = elder.call("GET", "/stats", 200).json()
    for key in ("total_backups", "completed_backups", "failed_backups", "total_size_bytes", "total_size_mb",
                "backup_directory", "recent_backups"):
        check(key in figures, f"the figures lack {key}")
    check("message" in elder.call("DELETE", f"/{number}", 200).json(), "no message")
    elder.call("DELETE", f"/{number}", 404)
    check("message" in elder.call("DELETE", f"/jobs/{job}", 200).json(), "no message")
    elder.call("DELETE", f"/jobs/{job}", 404)
    print("a client written for Elder: every route answers as Elder's does")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as difference:
        sys.exit(f"elder_client: {difference}")
