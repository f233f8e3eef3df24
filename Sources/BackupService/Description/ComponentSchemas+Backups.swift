internal import BackupCore

extension ComponentSchemas {
    static let backups: [String: JSONLiteral] = [
        "Backup": Schema.object([
            "id": Schema.integer(), "job_id": Schema.integer(), "filename": Schema.text(),
            "file_path": Schema.text("Of the local copy."), "file_size": Schema.integer("In bytes."),
            "record_count": Schema.integer(),
            "status": Schema.choice(BackupRecord.Status.allCases.map(\.rawValue)),
            "error_message": Schema.nullable(Schema.text()), "started_at": Schema.moment(),
            "completed_at": Schema.nullable(Schema.moment()), "duration_seconds": Schema.nullable(Schema.number()),
            "s3_url": Schema.nullable(Schema.text()), "s3_key": Schema.nullable(Schema.text()),
            "created_at": Schema.moment(), "updated_at": Schema.moment(),
            "sha256": Schema.nullable(Schema.text("Of the archive.")),
            "verified_at": Schema.nullable(Schema.moment("When all of it was last read and found good.")),
            "local_state": Schema.choice(BackupRecord.CopyState.allCases.map(\.rawValue)),
            "process": Schema.nullable(
                Schema.object(["host": Schema.text(), "pid": Schema.integer(), "start": Schema.text()])),
            "content": Schema.nullable(
                Schema.object([
                    "identity": Schema.text("Equal for backups of the same database."),
                    "scope": Schema.text("all, or equal for backups of the same tables."),
                ])),
            "remote": Schema.object(
                [
                    "s3_state": Schema.choice(RemoteCopy.State.allCases.map(\.rawValue)), "s3_error": Schema.text(),
                    "present_copies": Schema.integer(), "locked_until": Schema.moment(),
                    "being_deleted": Schema.flag(),
                ], required: ["present_copies", "being_deleted"]),
        ]),
        "Backups": Schema.object(
            [
                "backups": Schema.list(of: Schema.named("Backup")), "count": Schema.integer(),
                "next_cursor": Schema.text(),
            ], required: ["backups", "count"]),
        "Statistics": Schema.object([
            "total_backups": Schema.integer(), "completed_backups": Schema.integer(),
            "failed_backups": Schema.integer(), "total_size_bytes": Schema.integer(),
            "total_size_mb": Schema.number(), "s3_backups": Schema.integer(), "s3_size_bytes": Schema.integer(),
            "backup_directory": Schema.text(), "recent_backups": Schema.list(of: Schema.named("Backup")),
        ]),
        "RunResult": Schema.object(
            [
                "success": Schema.flag(), "backup_id": Schema.integer(), "filename": Schema.text(),
                "file_path": Schema.text(), "file_size": Schema.integer(), "record_count": Schema.integer(),
                "duration_seconds": Schema.number(), "s3_uploaded": Schema.flag(), "s3_url": Schema.text(),
                "s3_error": Schema.text(), "replicas": Schema.list(of: Schema.named("Copy")),
                "sha256": Schema.text(), "warnings": Schema.list(of: Schema.text()),
            ],
            required: [
                "success", "backup_id", "filename", "file_path", "file_size", "record_count", "duration_seconds",
                "s3_uploaded", "sha256", "warnings",
            ]),
        "Copy": Schema.object(
            [
                "backup_id": Schema.integer(), "filename": Schema.text(), "store": Schema.text(),
                "uploaded": Schema.flag(), "url": Schema.text(),
                "proof": Schema.choice(RemoteCopy.Proof.allCases.map(\.rawValue)), "error": Schema.text(),
            ], required: ["backup_id", "filename", "store", "uploaded"]),
        "Copies": Schema.object([
            "success": Schema.flag(), "uploaded": Schema.integer(), "failed": Schema.integer(),
            "copies": Schema.list(of: Schema.named("Copy")),
        ]),
        "RestoreWish": Schema.object(
            [
                "dry_run": Schema.nullable(Schema.flag()),
                "restore_options": Schema.nullable(
                    Schema.object(
                        [
                            "tables": Schema.nullable(Schema.list(of: Schema.text(shortest: 1), shortest: 1)),
                            "clear_existing": Schema.nullable(Schema.flag()),
                            "regenerate_ids": Schema.nullable(Schema.flag()),
                        ], required: [])),
            ], required: []),
        "RestoreResult": Schema.object(
            [
                "backup_id": Schema.integer(), "dry_run": Schema.flag(), "restored_tables": Schema.integer(),
                "total_records": Schema.integer(),
                "restored_counts": Schema.map(of: Schema.integer(), "Rows by table."),
                "errors": Schema.map(of: Schema.text(), "Always empty: what fails restores nothing."),
                "proven": Schema.flag(), "source": Schema.text("local, or the store it was fetched from."),
                "source_reason": Schema.text(), "fetched_bytes": Schema.integer(),
                "duration_seconds": Schema.number(), "warnings": Schema.list(of: Schema.text()),
            ],
            required: [
                "dry_run", "restored_tables", "total_records", "restored_counts", "errors", "proven", "source",
                "fetched_bytes", "duration_seconds", "warnings",
            ]),
        "VerifyResult": Schema.object([
            "ok": Schema.flag(), "verified": Schema.integer(), "damaged": Schema.integer(),
            "backups": Schema.list(
                of: Schema.object(
                    [
                        "backup_id": Schema.integer(), "path": Schema.text(), "ok": Schema.flag(),
                        "record_count": Schema.integer(), "tables": Schema.integer(), "file_size": Schema.integer(),
                        "duration_seconds": Schema.number(), "manifest": Schema.flag(), "source": Schema.text(),
                        "source_reason": Schema.text(), "error": Schema.text(),
                    ],
                    required: [
                        "path", "ok", "record_count", "tables", "file_size", "duration_seconds", "manifest", "source",
                    ])),
        ]),
    ]
}
