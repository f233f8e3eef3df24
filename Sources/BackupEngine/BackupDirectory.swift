internal import BackupCore
internal import BackupFiles
internal import Foundation
internal import Glibc

/// How archives are named: `backup_{job id}_{UTC yyyymmdd_HHMMSS}.json.gz`, as Elder names them.
enum ArchiveName {
    static let fileExtension = ".json.gz"

    static func stem(jobID: Int64, at time: Timestamp) -> String { "backup_\(jobID)_\(time.fileName)" }

    /// What archives are sorted by: the time in the name, those without one first.
    static func order(_ name: String) -> Int64 { time(in: name)?.microseconds ?? Int64.min }

    /// The time in an archive's name, where it has one.
    static func time(in name: String) -> Timestamp? {
        let parts = name.split(separator: "_")
        guard parts.count >= 4, parts[2].count == 8, parts[3].prefix(6).count == 6 else { return nil }
        let (date, time) = (Array(parts[2]), Array(parts[3].prefix(6)))
        return Timestamp(
            "\(String(date[0..<4]))-\(String(date[4..<6]))-\(String(date[6..<8])) "
                + "\(String(time[0..<2])):\(String(time[2..<4])):\(String(time[4..<6]))")
    }
}

/// The directory that holds the archives.
enum BackupDirectory {
    /// Makes the directory where it is missing, for this user alone: backups hold everything the database holds.
    static func prepare(_ path: String) throws {
        let number = make(path)
        if number == ENOTDIR, FileOperations.exists(path) {
            throw BackupError(.storage, "BACKUP_DIR \(path) is not a directory; name a directory")
        }
        guard number == 0 else { throw BackupError.system("create BACKUP_DIR", path: path, errno: number) }
        guard access(path, W_OK | X_OK) == 0 else {
            throw BackupError.system("write to BACKUP_DIR", path: path, errno: errno)
        }
    }

    /// Makes the directory and what is missing above it; the error number, or 0.
    private static func make(_ path: String) -> Int32 {
        var status = stat()
        if stat(path, &status) == 0 { return status.st_mode & S_IFMT == S_IFDIR ? 0 : ENOTDIR }
        guard errno == ENOENT else { return errno }
        let parent = FileOperations.directory(of: path)
        if parent != path, parent != "." {
            let number = make(parent)
            if number != 0 { return number }
        }
        return mkdir(path, 0o700) == 0 || errno == EEXIST ? 0 : errno
    }

    /// Where an archive grows until it is complete: hidden, and marked with whose it is, so that a sweep never takes
    /// away what another installation is writing.
    static func temporaryPath(in directory: String, stem: String, installation: String, recordID: Int64) -> String {
        "\(directory)/.\(stem).\(mark(installation))-\(recordID).partial"
    }

    /// Where a run copies its database to. What a kill leaves is swept with the archives that were not finished.
    static func stagingPath(in directory: String, stem: String, installation: String, recordID: Int64) -> String {
        "\(directory)/.\(stem).\(mark(installation))-\(recordID).staging.partial"
    }

    /// The temporary files of this installation with the record each belongs to.
    static func temporaryFiles(in directory: String, installation: String) -> [(path: String, recordID: Int64)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let mark = "." + mark(installation) + "-"
        return names.compactMap { name in
            guard name.hasPrefix(".backup_"), let range = name.range(of: mark),
                name.hasSuffix(".partial") || name.hasSuffix(".partial.manifest.json"),
                let recordID = Int64(name[range.upperBound...].prefix { $0.isNumber })
            else { return nil }
            return (directory + "/" + name, recordID)
        }
    }

    /// Tells this installation's files from others' in the same directory.
    static func mark(_ installation: String) -> String { String(installation.prefix(8)).lowercased() }
}
