import ArgumentParser
import BackupCore
import BackupEngine

/// A list of table names: separated by commas, where `\,` is a comma in a name and `\\` a backslash.
struct TableList: ExpressibleByArgument {
    let names: [String]

    init?(argument: String) {
        var names = [""]
        var isEscaped = false
        for character in argument {
            if isEscaped {
                guard character == "," || character == "\\" else { return nil }
                names[names.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "," {
                names.append("")
            } else {
                names[names.count - 1].append(character)
            }
        }
        guard !isEscaped, names.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.names = names
    }
}

/// An address of a database on the command line. Errors never repeat it: it may hold a password.
struct DatabaseArgument: ExpressibleByArgument {
    let result: Result<DatabaseURL, BackupError>

    init?(argument: String) {
        do {
            result = .success(try DatabaseURL(argument))
        } catch {
            result = .failure(error)
        }
    }

    /// The address; an error names the option.
    func address(_ option: String) throws(BackupError) -> DatabaseURL {
        switch result {
        case .success(let address): return address
        case .failure(let error): throw BackupError(.usage, "\(option): \(error.message)")
        }
    }
}

/// As ``TableList``; empty text takes the list away that a job has.
struct JobTableList: ExpressibleByArgument {
    let names: [String]

    init?(argument: String) {
        guard !argument.isEmpty else {
            names = []
            return
        }
        guard let list = TableList(argument: argument) else { return nil }
        names = list.names
    }
}

extension [JobTableList] {
    /// The names of all options together; nil without any.
    var tables: [String]? { isEmpty ? nil : flatMap(\.names) }
}

extension [TableList] {
    /// The names of all options together; nil without any.
    var tables: [String]? { isEmpty ? nil : flatMap(\.names) }
}

extension BackupReference {
    /// An argument that names a backup; never empty.
    init(argument: String) throws(BackupError) {
        guard !argument.isEmpty else {
            throw BackupError(.usage, "the backup's name is empty: give its number, its file name or a path")
        }
        self.init(argument)
    }
}
