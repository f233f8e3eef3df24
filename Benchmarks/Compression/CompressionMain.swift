import BackupArchive
import BackupCore
import Glibc

/// Compresses the text of an archive with everything that was considered for `BACKUP_COMPRESSION`, in pieces as large as
/// members are, on one thread: `compression-curve FILE` prints a line of a table for each.
@main
struct CompressionMain {
    /// About what a member holds in the mean, in bytes.
    private static let pieceSize = 512 * 1024
    private static let runs = 5

    static func main() throws {
        guard CommandLine.arguments.count == 2, let text = read(CommandLine.arguments[1]) else {
            print("compression-curve FILE: FILE is the text of an archive (zcat ARCHIVE >FILE)")
            exit(64)
        }
        print("| | size | compresses, MB/s | inflates, MB/s |\n|---|---|---|---|")
        for level in UInt32(0)...3 { measure("ISA-L \(level)", text, IgzipDeflater(level: level), runs: runs) }
        for level in Int32(1)...12 {
            measure("libdeflate \(level)", text, try LibdeflateDeflater(level: level), runs: level < 7 ? 3 : 1)
        }
    }

    /// The file, with what readers may look at behind it.
    private static func read(_ path: String) -> UnsafeRawBufferPointer? {
        let descriptor = open(path, O_RDONLY)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_size > 0 else { return nil }
        defer { close(descriptor) }
        let size = Int(status.st_size)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size + RowBatch.slack, alignment: 64)
        var done = 0
        while done < size {
            let count = Glibc.read(descriptor, memory.baseAddress.map { $0 + done }, size - done)
            guard count > 0 else { return nil }
            done += count
        }
        return UnsafeRawBufferPointer(rebasing: memory[..<size])
    }

    private static func measure(
        _ name: String, _ text: UnsafeRawBufferPointer, _ deflater: any MemberDeflater, runs: Int
    ) {
        let capacity = deflater.bound(pieceSize)
        let output = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
        defer { output.deallocate() }
        guard let inflater = try? MemberInflater() else { return }
        var best = (deflate: Double.infinity, inflate: Double.infinity)
        var size = 0
        for _ in 0..<runs {
            var seconds = (deflate: 0.0, inflate: 0.0)
            size = 0
            for start in stride(from: 0, to: text.count, by: pieceSize) {
                let piece = UnsafeRawBufferPointer(rebasing: text[start..<min(start + pieceSize, text.count)])
                let begun = processorTime()
                guard let length = deflater.deflate(piece, into: output, capacity: capacity) else { exit(1) }
                let deflated = processorTime()
                guard inflater.check(UnsafeRawBufferPointer(start: output, count: length), against: piece) else {
                    print("\(name) does not give back what went in")
                    exit(1)
                }
                seconds.deflate += deflated - begun
                seconds.inflate += processorTime() - deflated
                size += length
            }
            best = (min(best.deflate, seconds.deflate), min(best.inflate, seconds.inflate))
        }
        let megabytes = Double(text.count) / 1e6
        let share = (Double(size) / Double(text.count) * 10_000).rounded() / 100
        print(
            "| \(name) | \(share) % | \(Int(megabytes / best.deflate)) | \(Int(megabytes / best.inflate)) |")
    }

    /// Of this thread, in seconds.
    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
