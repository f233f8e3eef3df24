import S3Client
import TestSupport
import Testing

@Suite struct TransferOptionsTests {
    private static let mebibyte: Int64 = 1 << 20

    @Test(
        "Parts of 16 MiB, larger where there would be too many",
        arguments: [
            (0, 16), (1, 16), (16 << 20, 16), (1 << 30, 16), (100 << 30, 16), (148 << 30, 16), (150 << 30, 17),
            (1 << 40, 111),
            (5 << 40, 552),
        ] as [(Int64, Int64)])
    func sizes(_ size: Int64, _ mebibytes: Int64) throws {
        #expect(try TransferOptions().partSize(forObjectOf: size, profile: .generic) == mebibytes * Self.mebibyte)
    }

    @Test(
        "Whatever the size: no more parts than the provider takes, each of 5 MiB to 5 GiB",
        arguments: ProviderProfile.all)
    func properties(_ profile: ProviderProfile) throws {
        var generator = SeededGenerator(seed: 11)
        var sizes: [Int64] = [0, 1, profile.largestObject - 1, profile.largestObject]
        for _ in 0..<500 {
            sizes.append(
                Int64.random(in: 0...profile.largestObject, using: &generator)
                    >> Int64.random(in: 0...30, using: &generator))
        }
        for chosen in [nil, 5 << 20, (5 << 20) + 1, 64 << 20, 5 << 30] as [Int64?] {
            var options = TransferOptions()
            options.partSize = chosen
            for size in sizes {
                let partSize = try options.partSize(forObjectOf: size, profile: profile)
                #expect(partSize >= 5 * Self.mebibyte)
                #expect(partSize <= 5 << 30)
                #expect((size + partSize - 1) / partSize <= Int64(profile.maximumParts))
                #expect(partSize == chosen || partSize % Self.mebibyte == 0)
            }
        }
    }

    @Test("An object that no provider takes is refused, and a part size that no server takes")
    func refusals() {
        var options = TransferOptions()
        let tooLarge = #expect(throws: S3Error.self) {
            try options.partSize(forObjectOf: ProviderProfile.aws.largestObject + 1, profile: .aws)
        }
        #expect(tooLarge?.message.contains("Amazon S3 takes objects of up to 50000000000000 bytes") == true)
        for partSize in [0, -1, (5 << 20) - 1, (5 << 30) + 1] as [Int64] {
            options.partSize = partSize
            let wish = options
            let error = #expect(throws: S3Error.self) { try wish.partSize(forObjectOf: 1, profile: .aws) }
            #expect(error?.message == "a part has 5 MiB to 5 GiB, not \(partSize) bytes")
        }
    }

    @Test(
        "Parts cover an object without a gap, all but the last of one size",
        arguments: [0, 1, 5, 10, 11, 14, 15, 5_000_000_001] as [Int64], [1, 5, 7, 5_000_000_000] as [Int64])
    func parts(_ size: Int64, _ partSize: Int64) {
        guard size / partSize < 100_000 else { return }
        let parts = TransferPart.all(ofObjectOf: size, partSize: partSize)
        #expect(parts.map(\.number) == parts.indices.map { $0 + 1 })
        var covered: Int64 = 0
        for part in parts {
            #expect(part.range.lowerBound == covered)
            #expect(part.length > 0)
            covered = part.range.upperBound
        }
        #expect(covered == size)
        #expect(parts.dropLast().allSatisfy { $0.length == partSize })
    }

    @Test("Parts of 5 GiB: 50 TB in fewer than 10,000, and no number overflows")
    func largestParts() throws {
        let size: Int64 = 50_000_000_000_000
        let parts = TransferPart.all(ofObjectOf: size, partSize: 5 << 30)
        #expect(parts.count == 9_314)
        #expect(parts.last?.range.upperBound == size)
        #expect(TransferPart.all(ofObjectOf: 10, partSize: 0) == [])
        #expect(TransferPart.all(ofObjectOf: -1, partSize: 5) == [])
    }
}
