internal import Foundation
internal import NIOPosix

/// Files of settings and tokens, read whole, off the threads that tasks run on.
enum SmallFile {
    static let maximumLength = 1 << 20

    /// - Parameter name: of the file's purpose, for the error.
    /// - Returns: nil where there is no such file.
    /// - Throws: ``S3Error`` of kind `credentials`.
    static func read(_ path: String, _ name: String) async throws(S3Error) -> String? {
        let contents: [UInt8]?
        do {
            contents = try await NIOThreadPool.singleton.runIfActive {
                guard FileManager.default.fileExists(atPath: path) else { return nil }
                let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
                defer { try? file.close() }
                return try file.read(upToCount: maximumLength + 1).map { Array($0) } ?? []
            }
        } catch is CancellationError {
            throw S3Error(.cancelled, "cancelled while credentials were fetched")
        } catch {
            throw S3Error(.credentials, "\(name) \(path) cannot be read; check that this user may read it")
        }
        guard let contents else { return nil }
        guard contents.count <= maximumLength, let text = String(validating: contents, as: UTF8.self) else {
            throw S3Error(.credentials, "\(name) \(path) is not a small text file")
        }
        return text
    }
}
