import BackupCore
import FoundationEssentials

/// The texts of all settings and where each came from.
struct SettingValues: Sendable {
    let overrides: Configuration.Overrides
    let environment: [String: String]
    let file: [String: String]
    /// The path of the file.
    let filePath: String

    /// A variable that is set to nothing counts as not set, as container tools write it.
    func find(_ setting: Setting) -> (text: String, origin: SettingOrigin)? {
        switch setting {
        case .directory:
            if let text = overrides.directory { return (text, .option("--backup-dir")) }
        case .catalog:
            if let text = overrides.catalog { return (text, .option("--catalog")) }
        default: break
        }
        return variable(setting.rawValue)
    }

    func variable(_ name: String) -> (text: String, origin: SettingOrigin)? {
        if let text = environment[name], !text.isEmpty { return (text, .environment) }
        if let text = file[name], !text.isEmpty { return (text, .file(filePath)) }
        return nil
    }

    /// Names of the variables that are set to something.
    var names: Set<String> { Set((environment.filter { !$1.isEmpty }).keys).union(file.filter { !$1.isEmpty }.keys) }

    func read<Value>(
        _ setting: Setting, default standard: Value, _ parse: (String) -> Value?
    ) throws(BackupError) -> Value {
        guard let (text, origin) = find(setting) else { return standard }
        guard let value = parse(text) else { throw wrong(setting.rawValue, text, origin, allowed: setting.allowed) }
        return value
    }

    /// A value that no message repeats.
    func secret(_ setting: Setting, isValid: (String) -> Bool) throws(BackupError) -> Secret? {
        guard let (text, origin) = find(setting) else { return nil }
        guard isValid(text) else {
            throw BackupError(
                .configuration, "\(place(setting.rawValue, origin)) has a wrong value: allowed is \(setting.allowed)")
        }
        return Secret(text)
    }

    func number(
        _ setting: Setting, default standard: Int, in range: ClosedRange<Int>
    ) throws(BackupError) -> Int {
        try read(setting, default: standard) { text in
            guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(text) else { return nil }
            return range.contains(number) ? number : nil
        }
    }

    func directory() throws(BackupError) -> String {
        guard let (text, origin) = find(.directory) else { return Configuration.defaultDirectory }
        guard !text.isEmpty else {
            throw wrong(Setting.directory.rawValue, text, origin, allowed: Setting.directory.allowed)
        }
        return Paths.absolute(text)
    }

    func address(_ setting: Setting) throws(BackupError) -> DatabaseURL? {
        guard let (text, origin) = find(setting) else { return nil }
        do {
            return try DatabaseURL(text)
        } catch {
            throw BackupError(.configuration, "\(place(setting.rawValue, origin)): \(error.message)")
        }
    }

    func wrong(_ name: String, _ text: String, _ origin: SettingOrigin, allowed: String) -> BackupError {
        BackupError(
            .configuration,
            "\(place(name, origin)) is \"\(Printable.line(String(text.prefix(80))))\": allowed is \(allowed)")
    }

    func place(_ name: String, _ origin: SettingOrigin) -> String {
        switch origin {
        case .option(let option): option
        case .file(let path): "\(name) in \(path)"
        case .environment, .standard, .inherited: name
        }
    }

    /// A word for each variable that looks like one of ours and is not.
    func unknownVariables(isKnown: (String) -> Bool) -> [String] {
        let sources = [(environment, "the environment"), (file, filePath)]
        return sources.flatMap { variables, place in
            variables.keys.sorted().filter { $0.hasPrefix("BACKUP_") && !isKnown($0) }.map { name in
                "the variable \(Printable.line(name)) in \(place) is not known and has no effect; "
                    + "`elder-backup config show` lists those that have"
            }
        }
    }
}
