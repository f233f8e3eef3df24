/// A part of a database's own definitions that an archive keeps as text.
package enum DefinitionPart: String, Sendable, CaseIterable {
    /// Roles and tablespaces of the server.
    case globals
    /// The database itself: owner, grants, encoding, locale, comment, settings.
    case database
    /// What must be there before rows come: types, tables, functions, …
    case preData = "pre-data"
    /// What comes behind the rows: indexes, constraints, triggers, …
    case postData = "post-data"
}
