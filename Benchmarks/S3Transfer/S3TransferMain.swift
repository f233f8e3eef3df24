import Foundation
import S3Client

/// `s3-transfer upload|download --endpoint URL [--ca FILE] --bucket NAME --key KEY [--profile NAME]
/// [--part-size BYTES] [--concurrency N] FILE`: one transfer, for measuring. Credentials come from the environment as everywhere.
@main
struct S3TransferMain {
    static func main() async {
        do {
            try await run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("s3-transfer: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run(_ arguments: [String]) async throws {
        var options: [String: String] = [:]
        var words: [String] = []
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word.hasPrefix("--") { options[word] = rest.popFirst() } else { words.append(word) }
        }
        guard words.count == 2, let endpoint = options["--endpoint"], let bucket = options["--bucket"],
            let key = options["--key"]
        else {
            throw S3Error(.configuration, "usage: s3-transfer upload|download --endpoint URL --bucket B --key K FILE")
        }
        let environment = ProcessInfo.processInfo.environment
        var configuration = S3Configuration(
            endpoint: try S3Endpoint(parsing: endpoint),
            profile: options["--profile"].flatMap(ProviderProfile.named) ?? .ceph,
            credentials: CredentialsChain(environment: environment))
        configuration.certificateAuthorityFile = options["--ca"]
        let client = try S3Client(configuration)
        var transfer = TransferOptions()
        transfer.partSize = options["--part-size"].flatMap { Int64($0) }
        transfer.concurrency = options["--concurrency"].flatMap { Int($0) }
        if let concurrency = transfer.concurrency { transfer.maximumConcurrency = concurrency }
        let transfers = S3Transfers(client, options: transfer)
        let object = S3Object(bucket, key)
        if words[0] == "upload" {
            let outcome = try await transfers.upload(words[1], to: object)
            print("uploaded \(outcome.sentParts) parts, proof \(outcome.proof?.rawValue ?? "none")")
        } else {
            let head = try await transfers.download(object, to: words[1])
            print("downloaded \(head.size) bytes")
        }
        await client.shutdown()
    }
}
