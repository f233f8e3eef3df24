import BackupEngine
import Testing

@Suite("The program's version")
struct ProgramVersionTests {
    @Test("has three numbers")
    func threeNumbers() {
        #expect(ProgramVersion.current.split(separator: ".").compactMap { Int($0) }.count == 3)
    }
}
