package import BackupCore
internal import GRDB

extension SQLiteCatalog {
    package func save(_ copy: RemoteCopy) throws {
        try write { database in
            let found = try Int64.fetchOne(
                database, sql: "SELECT id FROM backups WHERE id = ?", arguments: [copy.backupID])
            guard found != nil else {
                throw BackupError(.notFound, "there is no backup \(copy.backupID) whose copy could be written down")
            }
            var values = SQLiteCatalog.values(of: copy)
            let id = try Int64.fetchOne(
                database, sql: "SELECT id FROM backup_copies WHERE backup_id = ? AND store = ?",
                arguments: [copy.backupID, copy.store])
            if let id {
                values["created_at"] = nil
                try SQLiteCatalog.update(values, in: "backup_copies", id: id, database)
            } else {
                try SQLiteCatalog.insert(values, into: "backup_copies", database)
            }
            guard copy.store == RemoteCopy.primaryStore else { return }
            let isPresent = copy.state == .present
            try database.execute(
                sql: "UPDATE backups SET s3_url = ?, s3_key = ? WHERE id = ?",
                arguments: [isPresent ? copy.url : nil, isPresent ? copy.key : nil, copy.backupID])
        }
    }

    package func deleteCopy(backupID: Int64, store: String) throws {
        try write { database in
            try database.execute(
                sql: "DELETE FROM backup_copies WHERE backup_id = ? AND store = ?", arguments: [backupID, store])
            guard store == RemoteCopy.primaryStore else { return }
            try database.execute(
                sql: "UPDATE backups SET s3_url = NULL, s3_key = NULL WHERE id = ?", arguments: [backupID])
        }
    }

    package func copies(backupID: Int64) throws -> [RemoteCopy] {
        let copies = try selectCopies("WHERE backup_id = ? ORDER BY store != 's3', length(store), store", [backupID])
        if copies.contains(where: { $0.store == RemoteCopy.primaryStore }) { return copies }
        guard let record = try record(id: backupID), let copy = RemoteCopy.recorded(by: record) else { return copies }
        return [copy] + copies
    }

    package func copies(in states: Set<RemoteCopy.State>) throws -> [RemoteCopy] {
        let names = states.map(\.rawValue).sorted()
        let marks = Array(repeating: "?", count: names.count).joined(separator: ", ")
        return try selectCopies(
            "WHERE state IN (\(marks)) ORDER BY backup_id DESC, store != 's3', length(store), store",
            StatementArguments(names))
    }

    // MARK: - Rows

    private func selectCopies(_ condition: String, _ arguments: StatementArguments) throws -> [RemoteCopy] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM backup_copies \(condition)", arguments: arguments)
                .map { SQLiteCatalog.copy(from: LenientRow(row: $0)) }
        }
    }

    private static func copy(from row: LenientRow) -> RemoteCopy {
        let created = row.timestamp("created_at") ?? Timestamp(microseconds: 0)
        // What is not known counts as not there and not ours: nothing good may be overlooked, and nothing deleted.
        let state = row.text("state").flatMap(RemoteCopy.State.init(rawValue:)) ?? .failed
        let owner = row.text("owner").flatMap(RemoteCopy.Owner.init(rawValue:)) ?? .unclaimed
        var copy = RemoteCopy(
            backupID: row.integer("backup_id") ?? 0, store: row.text("store") ?? "", state: state, owner: owner,
            endpoint: row.text("endpoint") ?? "", bucket: row.text("bucket") ?? "", key: row.text("object_key") ?? "",
            url: row.text("url") ?? "", at: created)
        copy.versionID = row.filledText("version_id")
        copy.manifestVersionID = row.filledText("manifest_version_id")
        copy.etag = row.filledText("etag")
        copy.size = row.integer("size")
        copy.storageClass = row.filledText("storage_class")
        copy.encryption = row.filledText("encryption")
        copy.lockedUntil = row.timestamp("locked_until")
        copy.proof = row.text("proof").flatMap(RemoteCopy.Proof.init(rawValue:))
        copy.error = row.filledText("error_message")
        copy.attempts = Int(row.integer("attempts") ?? 0)
        copy.updatedAt = row.timestamp("updated_at") ?? created
        copy.verifiedAt = row.timestamp("verified_at")
        if let token = row.filledText("upload_token"), let partSize = row.integer("upload_part_size"), partSize > 0 {
            copy.session = RemoteCopy.UploadSession(
                uploadID: row.filledText("upload_id"), partSize: partSize, token: token,
                startedAt: row.timestamp("upload_started_at") ?? created)
        }
        return copy
    }

    /// Every column but the id.
    private static func values(of copy: RemoteCopy) -> [String: DatabaseValue] {
        [
            "backup_id": copy.backupID.databaseValue,
            "store": copy.store.databaseValue,
            "state": copy.state.rawValue.databaseValue,
            "owner": copy.owner.rawValue.databaseValue,
            "endpoint": copy.endpoint.databaseValue,
            "bucket": copy.bucket.databaseValue,
            "object_key": copy.key.databaseValue,
            "url": copy.url.databaseValue,
            "version_id": copy.versionID.databaseValue,
            "manifest_version_id": copy.manifestVersionID.databaseValue,
            "etag": copy.etag.databaseValue,
            "size": copy.size.databaseValue,
            "storage_class": copy.storageClass.databaseValue,
            "encryption": copy.encryption.databaseValue,
            "locked_until": (copy.lockedUntil?.sql).databaseValue,
            "proof": (copy.proof?.rawValue).databaseValue,
            "upload_id": (copy.session?.uploadID).databaseValue,
            "upload_part_size": (copy.session?.partSize).databaseValue,
            "upload_token": (copy.session?.token).databaseValue,
            "upload_started_at": (copy.session?.startedAt.sql).databaseValue,
            "error_message": copy.error.databaseValue,
            "attempts": copy.attempts.databaseValue,
            "created_at": copy.createdAt.sql.databaseValue,
            "updated_at": copy.updatedAt.sql.databaseValue,
            "verified_at": (copy.verifiedAt?.sql).databaseValue,
        ]
    }
}
