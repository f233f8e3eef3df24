/// The order in which objects are created so that their rows in `sqlite_schema` come to stand as in the source.
///
/// VACUUM copies tables in the order of those rows, then indexes, then all that has no pages of its own (views,
/// triggers, virtual tables). After it has run, a virtual table stands behind its shadow tables; yet creating it is
/// what makes them. So the order is kept within tables, and within views, triggers and virtual tables; between the two
/// it is merged: a virtual table comes where its first shadow table stands, a trigger behind its table.
enum SQLiteSchemaOrder {
    /// All objects but indexes, in the order of creation. A shadow table follows its virtual table, which usually has
    /// made it.
    static func creation(of objects: [SQLiteSchema.Object]) -> [SQLiteSchema.Object] {
        var merge = Merge(objects)
        return merge.run()
    }

    private struct Merge {
        private let objects: [SQLiteSchema.Object]
        /// Places in ``objects`` of what has pages, in order.
        private var tables: ArraySlice<Int>
        /// Places in ``objects`` of what has none, in order.
        private var others: ArraySlice<Int>
        /// The place of the first shadow table of each virtual table that has one.
        private var firstShadows: [String: Int] = [:]
        private var created: Set<String> = []
        private var result: [SQLiteSchema.Object] = []

        init(_ objects: [SQLiteSchema.Object]) {
            self.objects = objects
            var tables: [Int] = []
            var others: [Int] = []
            let virtualTables = Set(objects.filter { $0.kind == .virtualTable }.map(\.name))
            for (place, object) in objects.enumerated() {
                switch object.kind {
                case .table, .internalTable: tables.append(place)
                case .shadowTable:
                    tables.append(place)
                    if let owner = object.owner, virtualTables.contains(owner), firstShadows[owner] == nil {
                        firstShadows[owner] = place
                    }
                case .view, .trigger, .virtualTable: others.append(place)
                case .index: break
                }
            }
            self.tables = tables[...]
            self.others = others[...]
        }

        mutating func run() -> [SQLiteSchema.Object] {
            while !tables.isEmpty || !others.isEmpty {
                let table = tables.first
                let other = others.first
                let tableMayCome = table.map(mayCreateTable) ?? false
                let otherMayCome = other.map(mayCreateOther) ?? false
                if let other, otherMayCome, !tableMayCome || other < (table ?? Int.max) {
                    others.removeFirst()
                    create(other)
                } else if let table, tableMayCome {
                    tables.removeFirst()
                    create(table)
                } else {
                    breakTie(table, other)
                }
            }
            return result
        }

        private mutating func create(_ place: Int) {
            created.insert(objects[place].name)
            result.append(objects[place])
        }

        private func mayCreateTable(_ place: Int) -> Bool {
            let object = objects[place]
            guard object.kind == .shadowTable, let owner = object.owner, firstShadows[owner] != nil else { return true }
            return created.contains(owner)
        }

        private func mayCreateOther(_ place: Int) -> Bool {
            let object = objects[place]
            switch object.kind {
            case .trigger: return created.contains(object.table)
            case .virtualTable: return firstShadows[object.name].map { $0 == tables.first } ?? true
            default: return true
            }
        }

        /// Neither order can be kept (a schema that was altered by hand): what must exist first goes first.
        private mutating func breakTie(_ table: Int?, _ other: Int?) {
            if let table, let owner = objects[table].owner,
                let position = others.firstIndex(where: {
                    objects[$0].kind == .virtualTable && objects[$0].name == owner
                })
            {
                create(others.remove(at: position))
            } else if let table {
                tables.removeFirst()
                create(table)
            } else if let other {
                others.removeFirst()
                create(other)
            }
        }
    }
}
