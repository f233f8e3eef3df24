import BackupCatalog
import BackupCore
import Foundation
import Glibc
import Synchronization
import Testing

@Suite struct JobLockTests {
    private let uuid = "6f0c1d2e-0000-4000-8000-000000000000"

    private func tryLock(_ directory: String) throws {
        _ = try JobLock.acquire(directory: directory, jobUUID: uuid)
    }

    @Test func oneHolderAtATime() throws {
        let directory = try TemporaryDirectory()
        func hold() throws {
            let lock = try JobLock.acquire(directory: directory.path, jobUUID: uuid)
            let error = #expect(throws: BackupError.self) { try tryLock(directory.path) }
            #expect(error?.code == .locked)
            #expect(error?.exitStatus == 5)
            #expect(error?.message.contains("another run of this job is going on (process \(getpid()) since 2") == true)
            // Another job's lock is another one.
            _ = try JobLock.acquire(directory: directory.path, jobUUID: "other")
            _ = consume lock
        }
        try hold()
        try tryLock(directory.path)
        try hold()
    }

    @Test("Each installation's schedule has a lock of its own")
    func schedule() throws {
        let directory = try TemporaryDirectory()
        func take(_ installation: String) throws {
            _ = try JobLock.acquireSchedule(directory: directory.path, installation: installation)
        }
        func hold() throws {
            let lock = try JobLock.acquireSchedule(directory: directory.path, installation: uuid)
            let error = #expect(throws: BackupError.self) { try take(uuid) }
            #expect(error?.code == .locked)
            let words = "another process sees to the schedule (process \(getpid()) since 2"
            #expect(error?.message.hasPrefix(words) == true)
            try take("other")
            try tryLock(directory.path)
            _ = consume lock
        }
        try hold()
        try hold()
        let error = #expect(throws: BackupError.self) { try take("../other") }
        #expect(error?.code == .catalog)
    }

    @Test func anotherProcessHoldsItUntilItEndsHoweverItEnds() throws {
        let directory = try TemporaryDirectory()
        try tryLock(directory.path)
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        holder.arguments = ["-n", "-o", directory.file(".locks/job-\(uuid).lock"), "sh", "-c", "echo held; exec cat"]
        let input = Pipe()
        let output = Pipe()
        holder.standardInput = input
        holder.standardOutput = output
        try holder.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "held\n")
        let error = #expect(throws: BackupError.self) { try tryLock(directory.path) }
        #expect(error?.code == .locked)
        kill(holder.processIdentifier, SIGKILL)
        // The holder's own end; Foundation would wait for its child as well.
        var information = siginfo_t()
        try #require(waitid(P_PID, id_t(holder.processIdentifier), &information, WEXITED | WNOWAIT) == 0)
        try tryLock(directory.path)
        try input.fileHandleForWriting.close()
        holder.waitUntilExit()
    }

    @Test func whetherItIsHeldIsSeenWithoutTakingIt() throws {
        let directory = try TemporaryDirectory()
        func isHeld() throws -> Bool { try JobLock.isHeld(directory: directory.path, jobUUID: uuid) }
        // Nothing is made by looking.
        #expect(try !isHeld())
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
        func hold() throws {
            let lock = try JobLock.acquire(directory: directory.path, jobUUID: uuid)
            #expect(try isHeld())
            #expect(try !JobLock.isHeld(directory: directory.path, jobUUID: "other"))
            _ = consume lock
        }
        try hold()
        #expect(try !isHeld())
        #expect(try !JobLock.isHeld(directory: directory.path, jobUUID: "../x"))
        let file = directory.file("file")
        try Data("x".utf8).write(to: URL(fileURLWithPath: file))
        let error = #expect(throws: BackupError.self) { try JobLock.isHeld(directory: file, jobUUID: uuid) }
        #expect(error?.code == .storage)
    }

    @Test func whoLooksKeepsNobodyFromTakingIt() throws {
        let directory = try TemporaryDirectory()
        try tryLock(directory.path)
        let isOver = Atomic(false)
        let looks = Atomic(0)
        let (path, uuid) = (directory.path, uuid)
        let looker = Thread {
            while !isOver.load(ordering: .relaxed) {
                _ = try? JobLock.isHeld(directory: path, jobUUID: uuid)
                looks.add(1, ordering: .relaxed)
            }
        }
        looker.start()
        defer { isOver.store(true, ordering: .relaxed) }
        for _ in 0..<200 { try tryLock(directory.path) }
        #expect(looks.load(ordering: .relaxed) > 0)
    }

    @Test func aChildDoesNotInheritIt() throws {
        let directory = try TemporaryDirectory()
        let child = Process()
        let input = Pipe()
        func startChildWhileHolding() throws {
            let lock = try JobLock.acquire(directory: directory.path, jobUUID: uuid)
            child.executableURL = URL(fileURLWithPath: "/bin/cat")
            child.standardInput = input
            child.standardOutput = FileHandle.nullDevice
            try child.run()
            _ = consume lock
        }
        try startChildWhileHolding()
        try tryLock(directory.path)
        try input.fileHandleForWriting.close()
        child.waitUntilExit()
    }

    @Test(arguments: ["", "../x", "a/b", "a\u{0}b", "é"])
    func refusesNamesThatLeaveTheDirectory(_ uuid: String) throws {
        let directory = try TemporaryDirectory()
        #expect(throws: BackupError.self) { _ = try JobLock.acquire(directory: directory.path, jobUUID: uuid) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test func aDirectoryThatIsAFileIsAnErrorOfStorage() throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("file")
        try Data("x".utf8).write(to: URL(fileURLWithPath: file))
        let error = #expect(throws: BackupError.self) { try tryLock(file) }
        #expect(error?.code == .storage)
    }
}

@Suite struct ProcessIdentityTests {
    @Test func aProcessIsTheSameAsItself() {
        let current = ProcessIdentity.current()
        #expect(current.pid == getpid())
        #expect(current == ProcessIdentity.current())
        #expect(!current.host.isEmpty && current.start.contains(" "))
    }
}
