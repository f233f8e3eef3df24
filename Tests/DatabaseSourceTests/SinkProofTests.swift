import BackupCore
import DatabaseSource
import Foundation
import Testing

@Suite("From a SQLite snapshot into a new file, and proven")
struct SinkProofTests {
    @Test(arguments: [false, true]) func readsBackAsItWas(vacuum: Bool) throws {
        let directory = try SinkDirectory()
        let source = directory.file("source")
        do {
            let database = try SinkDatabase(source)
            for statement in SinkNewFileTests.torture { try database.run(statement) }
            if vacuum { try database.run("VACUUM") }
        }
        let snapshot = try SQLiteSnapshot.open(path: source, options: SnapshotOptions())
        let target = SQLiteTarget(path: directory.file("new"))
        try target.prepare(
            ArchiveContents(source: snapshot.source, schema: snapshot.schema), options: RestoreOptions())
        var digests: [String: TableDigest] = [:]
        for table in snapshot.schema.tables {
            let loader = try target.loader(forTable: table.name, description: table)
            let buffer = loader.makeBuffer()
            digests[table.name] = try read(table, of: snapshot) { batch in
                try loader.decode(batch, into: buffer)
                try loader.load(buffer)
            }
        }
        _ = try target.finishLoading()
        let proof = try target.proof()
        #expect(proof.schema.tables == snapshot.schema.tables)
        for table in proof.schema.tables {
            #expect(try read(table, of: proof) { _ in } == digests[table.name])
        }
        try target.commit()
        #expect(try vacuumed(source, in: directory) == vacuumed(directory.file("new"), in: directory))
    }

    private func read(
        _ table: TableDescription, of snapshot: any DatabaseSnapshot, _ body: (RowBatch) throws -> Void
    ) throws -> TableDigest {
        let reader = try snapshot.reader(for: table)
        var digest = TableDigest()
        while true {
            let batch = RowBatch()
            let result = try reader.fill(batch, acceptsLargeRow: true)
            digest.add(batch.digest)
            try body(batch)
            if result == .last { return digest }
        }
    }
}
