internal import BackupCore

/// Deletes a backup's copies from their stores: only what this installation has sent or the catalog took over, only
/// what no object lock holds.
struct CopyRemover {
    let engine: BackupEngine
    let context: VerbContext
    let installation: String

    init(_ engine: BackupEngine, _ context: VerbContext) throws {
        self.engine = engine
        self.context = context
        installation = try engine.catalog.installationID()
    }

    /// A copy, its store, and what lies there.
    private struct Finding {
        var copy: RemoteCopy
        var store: RemoteStore
        /// Nil where nothing is there.
        var object: RemoteObject?
        /// Something is there, and it is not of this backup.
        var isForeign = false
    }

    /// Deletes all copies of a backup. Everything is looked at before anything is deleted; from then on the catalog
    /// says that the deletion was begun, and the next run goes on where this one stops.
    ///
    /// - Throws: `s3` where a copy must or cannot be deleted; what is left is written down.
    func removeCopies(of record: BackupRecord) throws {
        let copies = try engine.catalog.copies(backupID: record.id)
        guard !copies.isEmpty else { return }
        var findings: [Finding] = []
        for copy in copies {
            findings.append(try look(at: copy, in: context.stores.store(holding: copy, ofJob: record.jobID)))
        }
        for finding in findings {
            var copy = finding.copy
            copy.state = .deleting
            copy.updatedAt = Timestamp.now()
            try engine.catalog.save(copy)
        }
        engine.observer(.step(.deletionRecorded))
        // The replicas first: as long as anything is left, it is what the primary store has.
        for finding in findings.reversed() {
            do {
                try delete(finding)
            } catch let error as BackupError {
                var copy = finding.copy
                copy.state = .deleting
                copy.error = error.description
                copy.updatedAt = Timestamp.now()
                try engine.catalog.save(copy)
                throw error
            }
            try engine.catalog.deleteCopy(backupID: finding.copy.backupID, store: finding.copy.store)
            engine.observer(.step(.copyDeleted))
        }
    }

    private func look(at copy: RemoteCopy, in store: RemoteStore) throws -> Finding {
        try refuseLocked(copy.lockedUntil)
        let found: RemoteObject?
        do {
            found = try context.wait { try await store.look(at: copy) }
        } catch let error as BackupError where copy.state == .deleting && error.code == .remote {
            guard !store.isUnreachable else { throw error }
            // Whose it is was looked at before its deletion was begun. To a key that may not list, what is gone is
            // forbidden.
            return Finding(copy: copy, store: store)
        }
        guard let found else {
            guard copy.endpoint.isEmpty || copy.endpoint == store.place || copy.state != .present else {
                throw BackupError(
                    .remote,
                    "\(copy.place) was sent to \(copy.endpoint), and \(store.settings.variablePrefix)ENDPOINT is "
                        + "\(store.place): it cannot be looked for; set the endpoint back, then delete")
            }
            return Finding(copy: copy, store: store)
        }
        guard mayDelete(found, copy) else {
            // An upload that never came about leaves nothing of ours, whatever lies under its key.
            if copy.owner == .ours, copy.state != .present, copy.state != .deleting {
                return Finding(copy: copy, store: store, isForeign: true)
            }
            throw BackupError(
                .remote,
                "\(copy.place) on \(copy.store) does not carry this installation's mark and was not taken over: it "
                    + "stays, and so does the backup; \"catalog rebuild --from-s3\" takes over what the catalog knows")
        }
        try refuseLocked(found.lockedUntil)
        return Finding(copy: copy, store: store, object: found)
    }

    private func mayDelete(_ object: RemoteObject, _ copy: RemoteCopy) -> Bool {
        copy.owner == .adopted || object.installation == installation
    }

    private func refuseLocked(_ end: Timestamp?) throws {
        guard let end, end > Timestamp.now() else { return }
        throw BackupError(.retained, RetentionPlan.lockReason(end))
    }

    private func delete(_ finding: Finding) throws {
        let (copy, store, object, installation) = (finding.copy, finding.store, finding.object, installation)
        if let session = copy.session {
            try context.wait { try await store.abort(session, of: copy) }
        }
        guard !finding.isForeign else { return }
        try context.wait {
            try await store.delete(copy, found: object) {
                copy.owner == .adopted || $0.installation == installation
            }
        }
    }
}
