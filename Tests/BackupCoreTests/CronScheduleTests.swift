import BackupCore
import Testing

@Suite struct CronScheduleTests {
    private func numbers(_ values: CronSchedule.Values) -> [Int] { (0..<64).filter { values.contains($0) } }

    @Test func readsFields() throws {
        let schedule = try CronSchedule("  5,10-12,*/30  0-23/6 1,15 jan,MAR-may fri-sun ")
        #expect(numbers(schedule.minutes) == [0, 5, 10, 11, 12, 30])
        #expect(numbers(schedule.hours) == [0, 6, 12, 18])
        #expect(numbers(schedule.daysOfMonth) == [1, 15])
        #expect(numbers(schedule.months) == [1, 3, 4, 5])
        #expect(numbers(schedule.daysOfWeek) == [0, 5, 6])
        #expect(!schedule.hours.isAny)
        #expect(schedule.text == "5,10-12,*/30 0-23/6 1,15 jan,MAR-may fri-sun")
    }

    @Test func readsStarsStepsAndSundays() throws {
        let every = try CronSchedule("* * * * *")
        #expect(numbers(every.minutes) == Array(0...59))
        #expect(numbers(every.hours) == Array(0...23))
        #expect(numbers(every.daysOfMonth) == Array(1...31))
        #expect(numbers(every.months) == Array(1...12))
        #expect(numbers(every.daysOfWeek) == Array(0...6))
        #expect(every.daysOfWeek.isAny && every.daysOfMonth.isAny)
        #expect(numbers(try CronSchedule("7/20 * * * *").minutes) == [7, 27, 47])
        #expect(numbers(try CronSchedule("0 0 */10 * *").daysOfMonth) == [1, 11, 21, 31])
        #expect(numbers(try CronSchedule("0 0 * * 7").daysOfWeek) == [0])
        #expect(numbers(try CronSchedule("0 0 * * 5-7").daysOfWeek) == [0, 5, 6])
        #expect(numbers(try CronSchedule("0 0 * * sun-tue").daysOfWeek) == [0, 1, 2])
        #expect(numbers(try CronSchedule("0 0 * * */2").daysOfWeek) == [0, 2, 4, 6])
        #expect(numbers(try CronSchedule("0 0 * * 3/9999").daysOfWeek) == [3])
    }

    @Test func readsShorthands() throws {
        #expect(numbers(try CronSchedule("@hourly").minutes) == [0])
        #expect(numbers(try CronSchedule("@Daily").hours) == [0])
        #expect(numbers(try CronSchedule("@weekly").daysOfWeek) == [0])
        #expect(numbers(try CronSchedule("@monthly").daysOfMonth) == [1])
        #expect(numbers(try CronSchedule("@yearly").months) == [1])
        for word in ["@annually", "@midnight"] { #expect(try CronSchedule(word).text == word) }
    }

    @Test(arguments: [
        "", " ", "*", "* * * *", "* * * * * *", "60 * * * *", "-1 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
        "* * * 0 *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "*/ * * * *", "/5 * * * *", "1/2/3 * * * *",
        "5-1 * * * *",
        "1- * * * *", "-5 * * * *", "1-2-3 * * * *", "1,,2 * * * *", ",1 * * * *", "1, * * * *", "+1 * * * *",
        "1.5 * * * *", "a * * * *", "jan * * * *", "* * * mon *", "* * * * jan", "* * * january *", "? * * * *",
        "* * L * *", "* * 1W * *", "* * * * 1#2", "** * * * *", "*-5 * * * *", "@reboot", "@never", "@", "@daily 1",
        "0 0 30 2 *", "0 0 31 4,6,9,11 *", "99999999999999999999 * * * *", "٣ * * * *", "\u{1}\u{2} * * * *",
    ])
    func refusesOtherText(_ text: String) {
        let error = #expect(throws: BackupError.self) { try CronSchedule(text) }
        #expect(error?.code == .usage)
        #expect(error?.message.unicodeScalars.allSatisfy { $0.value >= 0x20 } == true)
    }

    @Test func datesThatComeAreAccepted() throws {
        for text in ["0 0 29 2 *", "0 0 31 1-12 *", "0 0 30 2 mon", "0 0 31 4 1"] { _ = try CronSchedule(text) }
    }

    @Test func namesTheField() {
        let error = #expect(throws: BackupError.self) { try CronSchedule("0 25 * * *") }
        #expect(error?.message.contains("\"25\" in the field hour, which allows 0 to 23") == true)
    }
}
