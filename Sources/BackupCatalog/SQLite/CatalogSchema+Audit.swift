extension CatalogSchema {
    /// One row for each thing that was done or refused; rows are added and never changed.
    static let audit = Table(
        name: "audit_log",
        columns: [
            Column(name: "id", type: "INTEGER", constraint: "PRIMARY KEY AUTOINCREMENT", essential: true),
            Column(name: "at", type: "TIMESTAMP", constraint: "NOT NULL", essential: true),
            Column(name: "actor", type: "TEXT", constraint: "NOT NULL", essential: true),
            Column(name: "role", type: "TEXT"),
            Column(name: "action", type: "TEXT", constraint: "NOT NULL", essential: true),
            Column(name: "subject", type: "TEXT"),
            Column(name: "outcome", type: "TEXT", constraint: "NOT NULL", essential: true),
            Column(name: "detail", type: "TEXT"),
            Column(name: "request_id", type: "TEXT"),
            Column(name: "address", type: "TEXT"),
        ]
    )
}
