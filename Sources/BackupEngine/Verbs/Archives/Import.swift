internal import BackupCore
internal import BackupFiles

extension BackupEngine {
    /// Puts the rows of a file into the tables of a database that has them: all of them, or none.
    ///
    /// - Throws: `usage` for a file that cannot be read as what its name says; `target`, …; the database is then as it
    ///   was.
    package func importFile(_ request: ImportRequest) async throws -> ImportResponse {
        try await audited(
            "import", request.name,
            detail: (request.dryRun ? "dry run into " : "into ") + request.target.redacted,
            describe: { "\($0.importedTables) tables, \($0.totalRecords) records" }
        ) {
            try await runImport(request)
        }
    }

    private func runImport(_ request: ImportRequest) async throws -> ImportResponse {
        let directory = try await converted(request)
        var restore = RestoreRequest(
            backup: BackupReference(directory.map { $0.path + "/rows.json" } ?? request.path), target: request.target)
        restore.from = .local
        restore.dataOnly = true
        restore.tables = request.tables
        restore.dryRun = request.dryRun
        restore.clearExisting = request.clearExisting
        restore.regenerateIDs = request.regenerateIDs
        let wish = restore
        do {
            let response = try await self.restoreUnaudited(wish)
            return withExtendedLifetime(directory) {
                ImportResponse(
                    dryRun: response.dryRun, importedTables: response.restoredTables,
                    totalRecords: response.totalRecords, importedCounts: response.restoredCounts, errors: [:],
                    durationSeconds: response.durationSeconds, warnings: response.warnings)
            }
        } catch let error as BackupError {
            throw withExtendedLifetime(directory) { error.ofImport(wish.backup.text) }
        }
    }

    /// Where the rows lie that were lines; nil where the file can be read as it is.
    private func converted(_ request: ImportRequest) async throws -> FetchDirectory? {
        try await runVerb(named: "import") { context in
            let input: InputFile
            do throws(BackupError) {
                input = try InputFile(path: request.path)
            } catch {
                throw error.ofImport(request.path)
            }
            guard request.form == .lines else { return nil }
            try BackupDirectory.prepare(self.configuration.backupDirectory)
            let directory = try FetchDirectory(
                in: self.configuration.backupDirectory, installation: try self.catalog.installationID())
            do {
                let output = try OutputFile(temporaryPath: directory.path + "/rows.partial")
                var conversion = LineConversion(input, to: output) {
                    try context.cancellation.check()
                }
                try conversion.run()
                guard try output.rename(to: directory.path + "/rows.json") else {
                    throw BackupError(.internal, "a new directory held a file already")
                }
                return directory
            } catch let error as BackupError {
                throw error.ofImport(request.path)
            }
        }
    }
}

extension BackupError {
    /// The same, as told to whoever sent the file: what is wrong with it is wrong with the request, and where it lies
    /// for the moment is nobody's business.
    fileprivate func ofImport(_ path: String) -> BackupError {
        var error = self
        error.location = location.filter { !$0.contains(path) }
        error.message = message.replacing(path, with: "the file")
        if code == .damaged { error.code = .usage }
        if error.code == .usage { error.location.insert("file", at: 0) }
        return error
    }
}
