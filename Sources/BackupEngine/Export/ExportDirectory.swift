internal import BackupCore
internal import BackupFiles
internal import Foundation
internal import Glibc

/// Where exports lie until they are fetched, and how they are called:
/// `export_{UTC yyyymmdd_HHMMSS}_{installation}.{extension}`.
struct ExportDirectory {
    let path: String
    /// Tells this installation's files from those of others.
    private let mark: String
    private let installation: String

    init(in backupDirectory: String, installation: String) {
        path = backupDirectory + "/exports"
        mark = String(installation.prefix(8)).lowercased()
        self.installation = installation
    }

    func prepare() throws {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw BackupError.system("create", path: path, errno: errno)
    }

    /// Removes what processes left behind that are gone, and this installation's exports that are older.
    func sweep(olderThan oldest: Timestamp) {
        FetchDirectory.sweep(in: path, installation: installation)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names {
            guard let parts = ExportDirectory.parts(name), parts.mark == mark, parts.time < oldest else { continue }
            // What cannot be removed now is seen again by the next sweep.
            try? FileOperations.remove(path + "/" + name)
        }
    }

    /// Gives a finished file its name; returns that. A name that is taken gets `_2`, `_3`, … before its extension.
    func publish(_ file: OutputFile, at time: Timestamp, as format: ExportFormat) throws -> String {
        for attempt in 1...1000 {
            let name =
                "export_\(time.fileName)_\(mark)" + (attempt == 1 ? "" : "_\(attempt)") + ".\(format.fileExtension)"
            guard try file.rename(to: path + "/" + name) else { continue }
            try FileOperations.syncDirectory(path)
            return name
        }
        throw BackupError(.storage, "\(path) holds a thousand exports of the same second; remove some")
    }

    /// What a name says; nil for any other than those that exports get, so that no name leads out of the directory.
    static func parts(_ name: String) -> (time: Timestamp, mark: String, format: ExportFormat)? {
        guard name.utf8.count <= 80, let dot = name.firstIndex(of: "."),
            let format = ExportFormat.allCases.first(where: { name[dot...] == "." + $0.fileExtension })
        else { return nil }
        let words = name[..<dot].split(separator: "_", omittingEmptySubsequences: false)
        guard words.count == 4 || words.count == 5, words[0] == "export", words[1].utf8.count == 8,
            words[2].utf8.count == 6, (1...8).contains(words[3].utf8.count),
            words[3].utf8.allSatisfy({ $0 &- 0x30 < 10 || (0x61...0x7A).contains($0) || $0 == 0x2D }),
            words.count == 4 || Int(words[4]) != nil
        else { return nil }
        let (date, time) = (Array(words[1]), Array(words[2]))
        guard
            let moment = Timestamp(
                "\(String(date[0..<4]))-\(String(date[4..<6]))-\(String(date[6..<8])) "
                    + "\(String(time[0..<2])):\(String(time[2..<4])):\(String(time[4..<6]))")
        else { return nil }
        return (moment, String(words[3]), format)
    }
}

extension BackupEngine {
    func exportDirectory() throws -> ExportDirectory {
        ExportDirectory(in: configuration.backupDirectory, installation: try catalog.installationID())
    }

    /// Removes exports that nobody will fetch any more (`BACKUP_EXPORT_DAYS`).
    func sweepExports() throws {
        try exportDirectory().sweep(olderThan: Timestamp.now().adding(days: -configuration.exportDays))
    }
}
