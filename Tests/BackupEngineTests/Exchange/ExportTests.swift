import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("Exports, as other programs read them")
struct ExportTests {
    @Test("json and ndjson give back the very same rows", arguments: [ExportFormat.json, .ndjson])
    func roundTrip(format: ExportFormat) async throws {
        let scene = try await ExportBench()
        let response = try await scene.export(format)
        #expect(response.success && response.recordCounts["entities"] == 5 && response.recordCounts["empty"] == 0)
        #expect(response.fileSize == Int64(try Data(contentsOf: URL(filePath: response.filePath)).count))
        let attributes = try FileManager.default.attributesOfItem(atPath: response.filePath)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let target = try scene.target()
        let imported = try await scene.importFile(response.filePath, into: target)
        #expect(imported.totalRecords == 10 && imported.importedTables == 4 && imported.errors.isEmpty)
        try Comparison.expectEqual(scene.source, target, in: scene.bench, vacuumToo: false)
        #expect(scene.bench.archiveFiles == ["exports"], "nothing but the exports is left")
    }

    @Test("json is one object of Elder's shape, ndjson a line for each row, for Python too")
    func json() async throws {
        let scene = try await ExportBench()
        let program = """
            import json,sys
            o=json.load(open(sys.argv[1])); rows=[json.loads(l) for l in open(sys.argv[2])]
            assert list(o)==["version","timestamp","export","tables"], list(o)
            t=o["tables"]; assert [len(t[n]) for n in ("entities","issues","empty")]==[5,3,0]
            assert t["entities"][0]["data"]=={"k":[1,"zwei"]} and t["entities"][0]["active"] is True
            assert rows[0]["export"]["source"]["engine"]=="sqlite"
            flat={}
            for r in rows[1:]: flat.setdefault(r["table"],[]).append(r["row"])
            assert all(flat.get(n,[])==t[n] for n in t), flat
            print("ok")
            """
        let object = try await scene.export(.json)
        let lines = try await scene.export(.ndjson)
        #expect(try ExportBench.python(program, object.filePath, lines.filePath) == "ok\n")
    }

    @Test("A text that would end PostgreSQL's COPY stands in quotes")
    func endOfCopy() async throws {
        let scene = try await ExportBench()
        _ = try TestDatabase(scene.source, "INSERT INTO empty VALUES('\\.')")
        let response = try await scene.export(.csv)
        let program = "import sys,zipfile; print(zipfile.ZipFile(sys.argv[1]).read('empty.csv'))"
        #expect(try ExportBench.python(program, response.filePath) == "b'x\\r\\n\"\\\\.\"\\r\\n'\n")
    }

    @Test("csv is a zip file with a file for each table, and NULL is told from an empty text")
    func csv() async throws {
        let scene = try await ExportBench()
        let response = try await scene.export(.csv)
        #expect(response.filename.hasSuffix(".csv.zip"))
        let program = """
            import csv,io,sys,zipfile
            z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
            names=z.namelist(); assert names==["entities.csv","issues.csv","odd%20%22%20%3C%26%2F..%20name.csv","empty.csv"], names
            def rows(n): return list(csv.reader(io.TextIOWrapper(z.open(n),"utf-8",newline="")))
            e=rows("entities.csv"); assert e[0][:3]==["id","name","score"] and len(e)==6, e
            assert e[1]==["1","ada","1.5","9.9","true",'{"k":[1,"zwei"]}',"AP8Q","2026-01-01 10:00:00","T"], e[1]
            assert e[5][1]=='a "quoted", line\\nünï😀\\r\\t end ', e[5]
            assert e[5][2]=="Infinity" and e[5][0]=="9007199254740993"
            text=z.read("entities.csv").decode(); lines=text.split("\\r\\n")
            assert lines[2].startswith('2,"",0.0,10,false,not json,"",'), lines[2]
            assert lines[3]=='3,,1e300,,,,,,' or lines[3]=='3,,1e+300,,,,,,', lines[3]
            assert rows("issues.csv")[1]==["1","1","=1+1"]
            o=rows(names[2]); assert o==[["a,b",'c"d'],["x","1"],["",""]], o
            assert z.read("empty.csv")==b"x\\r\\n"
            assert all(i.flag_bits&0x808==0x808 and i.compress_type==8 for i in z.infolist())
            print("ok")
            """
        #expect(try ExportBench.python(program, response.filePath) == "ok\n")
        #expect(try await scene.failureCode(response.filePath) == .usage)
    }

    @Test("xml is well-formed, and loses nothing that XML cannot hold")
    func xml() async throws {
        let scene = try await ExportBench()
        let response = try await scene.export(.xml)
        let program = """
            import base64,sys,xml.etree.ElementTree as E
            r=E.parse(sys.argv[1]).getroot(); assert r.tag=="export" and r.get("version")=="1.2.0"
            t={x.get("name"):x.findall("row") for x in r}
            assert list(t)==["entities","issues",'odd " <&/.. name',"empty"], list(t)
            def cells(row): return {f.get("name"):(f.get("type"),base64.b64decode(f.text).decode("utf-8") if f.get("encoding") else (f.text or "")) for f in row}
            e=[cells(x) for x in t["entities"]]
            assert e[0]["id"]==("number","1") and e[0]["active"]==("boolean","true") and e[0]["blob"]==("bytes","AP8Q"), e[0]
            assert e[0]["data"]==("json",'{"k":[1,"zwei"]}') and e[1]["data"]==("text","not json"), e[1]
            assert e[1]["name"]==("text","") and e[2]["name"]==("null",""), e[2]
            assert e[4]["name"]==("text",'a "quoted", line\\nünï😀\\r\\t end '), e[4]
            assert e[3]["name"]==("text","ctl\\x01\\ufffe<&>]]>"), e[3]
            assert t["empty"]==[] and len(t["issues"])==3
            print("ok")
            """
        #expect(try ExportBench.python(program, response.filePath) == "ok\n")
    }

    @Test("Elder's words for rows name tables, and counts go by the caller's names")
    func names() async throws {
        let scene = try await ExportBench()
        let response = try await scene.export(.json, ["entity", "issues"])
        #expect(response.resourceTypes == ["entity", "issues"])
        #expect(response.recordCounts == ["entity": 5, "issues": 3])
        #expect(!(try ExportBench.text(response.filePath)).contains("\"empty\""))
        let unknown = await failure { _ = try await scene.export(.json, ["entity", "planet", "moon"]) }
        #expect(unknown.code == .notFound && unknown.location == ["resource_types"])
        #expect(unknown.message.contains("\"planet\", \"moon\""))
    }

    static let choices: [(String, [Int64])] = [
        (#"{"id":1}"#, [1]), (#"{"id":9007199254740993}"#, [9_007_199_254_740_993]), (#"{"id":9007199254740992}"#, []),
        (#"{"id":1.0}"#, [1]), (#"{"id":10e-1}"#, [1]), (#"{"name":"ada"}"#, [1]), (#"{"name":""}"#, [2]),
        (#"{"name":null}"#, [3]), (#"{"name":["ada",null]}"#, [1, 3]), (#"{"name":"ADA"}"#, []), (#"{"name":[]}"#, []),
        (#"{"active":true}"#, [1, 5]), (#"{"active":false}"#, [2]), (#"{"active":1}"#, []),
        (#"{"letter":true}"#, [1, 5]),
        (#"{"id":true}"#, [1]), (#"{"price":{"gte":9.9,"lt":100}}"#, [1, 2]),
        (#"{"price":{"lt":0}}"#, [9_007_199_254_740_993]),
        (#"{"score":{"gt":1e299}}"#, [3, 9_007_199_254_740_993]), (#"{"score":0}"#, [2]), (#"{"score":0.1}"#, [5]),
        (#"{"created_at":{"gte":"2026-01-01","lt":"2026-01-02T10:00:00Z"}}"#, [1]),
        (#"{"created_at":{"gt":"2026-01-02T10:00:00+00:00"}}"#, [2, 5]),
        (#"{"created_at":{"lt":"2026-01-01"}}"#, [9_007_199_254_740_993]),
        (#"{"created_at":"2026-01-01T10:00:00"}"#, [1]),
        (#"{"created_at":{"gt":"2026-01-02T11:00+01:00"}}"#, [2, 5]),
        (#"{"name":{"gte":"a","lt":"b"}}"#, [1, 9_007_199_254_740_993]), (#"{"id":{"gt":1},"active":true}"#, [5]),
        (#"{"entities":{"id":[1,2],"letter":"T"}}"#, [1]), (#"{"entity":{"id":{"lte":2}}}"#, [1, 2]),
        (#"{"blob":"aGVsbG8="}"#, [9_007_199_254_740_993]), (#"{"id":"1"}"#, []),
        ("{}", [1, 2, 3, 5, 9_007_199_254_740_993]),
    ]

    @Test("Filters choose rows", arguments: choices)
    func choose(filter: String, ids: [Int64]) async throws {
        let scene = try await ExportBench()
        let response = try await scene.export(.json, ["entity"], filters: filter)
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: response.filePath)))
        let tables = (object as? [String: Any])?["tables"] as? [String: [[String: Any]]]
        let found = (tables?["entities"] ?? []).compactMap { ($0["id"] as? NSNumber)?.int64Value }
        #expect(found.sorted() == ids && response.recordCounts["entity"] == Int64(ids.count))
    }

    @Test("A filter by a column applies to every table that has it, one by a table to that table")
    func filterScope() async throws {
        let scene = try await ExportBench()
        let response = try await scene.export(
            .json, ["entity", "issue"], filters: #"{"id":{"lte":2},"issue":{"title":"two"}}"#)
        #expect(response.recordCounts == ["entity": 2, "issue": 1])
    }

    @Test(
        "A filter that makes no sense is refused, and no file is left",
        arguments: [
            "[]", "{", #"{"colour":1}"#, #"{"id":{"above":1}}"#, #"{"id":{}}"#, #"{"id":{"gte":null}}"#,
            #"{"id":[[1]]}"#, #"{"entities":{"colour":1}}"#, #"{"entities":{"id":{"x":1}}}"#, #"{"empty":{"x":1}}"#,
            #"{"id":01}"#, #"{"id":1,"id":2}"#, #"{"id":["# + String(repeating: "1,", count: 1_000) + "1]}",
        ])
    func badFilters(filter: String) async throws {
        let scene = try await ExportBench()
        let error = await failure { _ = try await scene.export(.csv, ["entity", "issue"], filters: filter) }
        // A column that is not there, in place of a filter that says nothing.
        #expect(error.code == (filter.contains("colour") ? .notFound : .usage), "\(error)")
        #expect(error.location == ["filters"])
        let names = try? FileManager.default.contentsOfDirectory(atPath: scene.bench.backups + "/exports")
        #expect((names ?? []).isEmpty)
    }

    @Test("Old exports and what dead processes left are swept, and nothing of another installation")
    func sweep() async throws {
        let scene = try await ExportBench()
        let fresh = try await scene.export(.json)
        let exports = scene.bench.backups + "/exports/"
        let mark = try #require(fresh.filename.split(separator: "_").last?.prefix(8))
        let old = ["export_20250101_000000_\(mark).json", "export_20250101_000000_\(mark)_2.csv.zip"]
        let kept = ["export_20250101_000000_00000000.json", "notes.txt", "export_20250101_000000_\(mark).json.txt"]
        for name in old + kept { try Data("x".utf8).write(to: URL(filePath: exports + name)) }
        try FileManager.default.createDirectory(
            atPath: exports + ".fetch-\(mark)-abcdefgh", withIntermediateDirectories: true)
        _ = try await scene.bench.engine()
        let names = try FileManager.default.contentsOfDirectory(atPath: exports)
        #expect(Set(names) == Set(kept + [fresh.filename]))
    }

    @Test("No name leads out of the directory of exports")
    func openExport() async throws {
        let scene = try await ExportBench()
        let response = try await scene.export(.ndjson)
        let opened = try await scene.engine.openExport(response.filename)
        #expect(opened.size == response.fileSize && opened.format == .ndjson)
        try FileManager.default.createSymbolicLink(
            atPath: scene.bench.backups + "/exports/export_20260101_000000_aaaaaaaa.json",
            withDestinationPath: scene.source)
        for name in [
            "../catalog.sqlite", "export_20260101_000000_aaaaaaaa.json", "", ".", "export_1_2_3.json",
            "export_20260101_000000_../../x.json", response.filename + "/../" + response.filename, "notes.txt",
        ] {
            #expect(await failure { _ = try await scene.engine.openExport(name) }.code == .notFound, "\(name)")
        }
    }

    @Test("The catalog's secrets are not in an export of the database that it lives in")
    func secrets() async throws {
        let bench = try Bench()
        let source = bench.file("app.sqlite")
        _ = try TestDatabase(source, "CREATE TABLE t(x); INSERT INTO t VALUES(1)")
        let url = DatabaseURL.sqlite(path: source)
        _ = try await BackupEngine.migrateCatalog(
            configuration: {
                var configuration = EngineConfiguration(backupDirectory: bench.backups)
                configuration.catalogURL = url
                return configuration
            }())
        let engine = try await bench.engine {
            $0.catalogURL = url
            $0.source = url
        }
        _ = try await engine.createToken(name: "a", role: .admin)
        let hash = try TestDatabase(source).first("SELECT hash FROM api_tokens")
        for format in ExportFormat.allCases where format != .csv {
            let response = try await engine.export(ExportRequest(format: format))
            #expect(response.recordCounts["api_tokens"] == 1)
            #expect(!(try ExportBench.text(response.filePath)).contains(hash))
        }
    }
}

extension ExportBench {
    fileprivate func failureCode(_ path: String) async throws -> BackupError.Code {
        let request = ImportRequest(path: path, form: .json, target: .sqlite(path: try target()))
        return await failure { _ = try await engine.importFile(request) }.code
    }
}
