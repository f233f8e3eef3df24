/// The version of this program, as archives and `--version` tell it.
package enum ProgramVersion {
    package static let current = "0.1.0"
}
