import BackupArchive
import BackupCore
import BackupFiles
import Foundation
import Glibc
import Testing

@Suite("An archive has a name when it is complete, and leaves nothing behind when it is not")
struct PublishTests {
    private func writer(_ directory: TemporaryDirectory) throws -> ArchiveWriter {
        try ArchiveWriter(
            temporaryPath: directory.file(".x.partial"), header: Sample.header(Sample.small), compression: .fast,
            workers: 2)
    }

    enum Moment: CaseIterable { case begun, inTable, withBatch, submitted, finished }

    @Test("a writer that is dropped leaves no file", arguments: Moment.allCases)
    func dropped(_ moment: Moment) throws {
        let directory = try TemporaryDirectory()
        for _ in 0..<50 {
            try drop(at: moment, directory)
            #expect(try directory.names() == [])
        }
    }

    private func drop(at moment: Moment, _ directory: TemporaryDirectory) throws {
        let writer = try writer(directory)
        try withExtendedLifetime(writer) {
            if moment == .finished {
                for table in Sample.small { try Sample.add(table, to: writer) }
                try writer.finish { _ in }
            } else if moment != .begun {
                try writer.beginTable(Sample.small[0].description)
                if moment != .inTable { _ = try writer.nextBatch() }
                if moment == .submitted { try writer.submit(last: false) }
            }
            #expect(try directory.names() == [".x.partial", ".x.partial.manifest.json"])
        }
    }

    /// What a disk may do to a file between its being written and its being read back.
    enum Fault: CaseIterable { case flipped, shortened, none }

    @Test("a file that does not hold what was written to it is not published", arguments: Fault.allCases, [1, 1_500])
    func faultyDisk(_ fault: Fault, rowCount: Int) throws {
        let directory = try TemporaryDirectory()
        var random = SystemRandomNumberGenerator()
        // Of 1,500 rows, more than the disk is given, and read back from, at once while the file grows.
        let table = SampleTable(
            "noise",
            rows: (0..<rowCount).map { index in
                let noise = (0..<2_048).map { _ in String(random.next(), radix: 16) }.joined()
                return Array("{\"id\":\(index),\"name\":\"\(noise)\"}".utf8)
            })
        let path = directory.file(".x.partial")
        let writer = try ArchiveWriter(
            temporaryPath: path, header: Sample.header([table]), compression: .fast, workers: 2)
        try Sample.add(table, to: writer)
        var failure: BackupError?
        do {
            try writer.finish { step in if step == .archiveWritten { damage(path, fault) } }
        } catch let error as BackupError {
            failure = error
        }
        #expect(failure?.code == (fault == .none ? nil : .storage), "\(String(describing: failure))")
        #expect(Files.size(path) > (rowCount == 1 ? 0 : 20 << 20))
    }

    private func damage(_ path: String, _ fault: Fault) {
        let end = off_t(Files.size(path))
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        var byte: UInt8 = 0
        switch fault {
        case .none: break
        case .shortened: #expect(ftruncate(descriptor, end - 1) == 0)
        case .flipped:
            #expect(pread(descriptor, &byte, 1, end - 2) == 1)
            byte ^= 1
            #expect(pwrite(descriptor, &byte, 1, end - 2) == 1)
        }
    }

    @Test("names that are taken get a number, by an archive or by a manifest")
    func taken() throws {
        let directory = try TemporaryDirectory()
        let names = try (0..<3).map { _ in try Sample.write(Sample.small, in: directory, stem: "b").name }
        #expect(names == ["b.json.gz", "b_2.json.gz", "b_3.json.gz"])
        try Files.write([1], to: directory.file("b_4.json.gz.manifest.json"))
        try Files.write([2], to: directory.file("b_5.json.gz"))
        #expect(symlink("/nonexistent", directory.file("b_6.json.gz")) == 0)
        #expect(try Sample.write(Sample.small, in: directory, stem: "b").name == "b_7.json.gz")
        #expect(try Files.read(directory.file("b_4.json.gz.manifest.json")) == [1])
        #expect(try Files.read(directory.file("b_5.json.gz")) == [2])
        #expect(try directory.names().filter { $0.hasPrefix(".") } == [])
        #expect(try Reading.failure(directory.file("b_7.json.gz")) == nil)
    }

    @Test("a directory that is gone is an error")
    func gone() throws {
        let directory = try TemporaryDirectory()
        let target = directory.file("target")
        let writer = try writer(directory)
        for table in Sample.small { try Sample.add(table, to: writer) }
        try writer.finish { _ in }
        let error = #expect(throws: BackupError.self) {
            try writer.publish(directory: target, stem: "b") { _ in }
        }
        #expect(error?.code == .storage)
        #expect(throws: BackupError.self) {
            try ArchiveWriter(
                temporaryPath: target + "/x", header: Sample.header([]), compression: .fast, workers: 1)
        }
    }

    @Test("what fails between the names leaves neither", arguments: [true, false])
    func failsBetween(_ manifestAppears: Bool) throws {
        let directory = try TemporaryDirectory()
        let target = directory.file("target")
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        let writer = try writer(directory)
        for table in Sample.small { try Sample.add(table, to: writer) }
        try writer.finish { _ in }
        #expect(throws: BackupError.self) {
            try writer.publish(directory: target, stem: "b") { step in
                guard step == .archiveRenamed else { return }
                if manifestAppears {
                    #expect(creat(target + "/b.json.gz.manifest.json", 0o600) >= 0)
                } else {
                    #expect(unlink(target + "/b.json.gz") == 0 && rmdir(target) == 0)
                }
            }
        }
        let left = try? FileManager.default.contentsOfDirectory(atPath: target)
        #expect(left == (manifestAppears ? ["b.json.gz.manifest.json"] : nil))
    }

    /// `chattr` and modes do not bind root, so a read-only mount is the test where there is one: `/proc`.
    @Test("a directory that is read-only is an error")
    func readOnly() throws {
        let directory = try TemporaryDirectory()
        #expect(chmod(directory.path, 0o500) == 0)
        let path = geteuid() == 0 ? "/proc/x.partial" : directory.file("x.partial")
        let error = #expect(throws: BackupError.self) {
            try ArchiveWriter(temporaryPath: path, header: Sample.header([]), compression: .fast, workers: 1)
        }
        #expect(error?.code == .storage)
        #expect(error?.message.contains("cannot create \(path)") == true)
        let writer = try ArchiveWriter(
            temporaryPath: directory.path + "-x.partial", header: Sample.header([]), compression: .fast, workers: 1)
        try writer.finish { _ in }
        #expect(throws: BackupError.self) {
            try writer.publish(directory: geteuid() == 0 ? "/proc" : directory.path, stem: "b") { _ in }
        }
        #expect(try directory.names() == [])
    }

    @Test("copies carry their manifest, replace nothing, and refuse damage")
    func copies() throws {
        let directory = try TemporaryDirectory()
        let result = try Sample.write(Sample.small, in: directory, stem: "b")
        let copy = directory.file("copy.json.gz")
        try ArchiveCopy.copy(result.path, to: copy, expectedSHA256: result.sha256) {}
        #expect(try Reading.all(copy) == Sample.small)
        #expect(ArchiveCopy.hasManifest(copy))
        #expect(throws: BackupError.self) { try ArchiveCopy.copy(result.path, to: copy, expectedSHA256: nil) {} }
        try ArchiveCopy.remove(copy)
        var steps = 0
        #expect(throws: BackupError.self) {
            try ArchiveCopy.copy(result.path, to: copy, expectedSHA256: nil) {
                steps += 1
                if steps == 2 { throw BackupError(.cancelled, "stopped") }
            }
        }
        #expect(try directory.names() == ["b.json.gz", "b.json.gz.manifest.json"])
        var bytes = try Files.read(result.path)
        bytes[bytes.count / 2] ^= 4
        try Files.write(bytes, to: result.path)
        #expect(throws: BackupError.self) { try ArchiveCopy.copy(result.path, to: copy, expectedSHA256: nil) {} }
        #expect(try directory.names() == ["b.json.gz", "b.json.gz.manifest.json"])
    }
}
