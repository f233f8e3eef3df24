/// A number as its decimal digits, of any length, so that nothing is rounded: `±0.d₁d₂d₃… × 10^exponent`.
struct DecimalText: Comparable, Sendable {
    private let isNegative: Bool
    /// Neither the first nor the last is 0; none for zero.
    private let digits: [UInt8]
    private let exponent: Int

    /// Reads an optional sign, digits, a fraction and an exponent; nil for anything else.
    init?(_ text: some Collection<UInt8>) {
        var rest = text[...]
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        let whole = rest.prefix { $0 &- 0x30 < 10 }
        rest = rest.dropFirst(whole.count)
        var digits = Array(whole)
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix { $0 &- 0x30 < 10 }
            guard !fraction.isEmpty else { return nil }
            digits += fraction
            rest = rest.dropFirst(fraction.count + 1)
        }
        guard !digits.isEmpty, let power = DecimalText.exponent(rest) else { return nil }
        let zeros = digits.prefix { $0 == 0x30 }.count
        digits.removeFirst(zeros)
        while digits.last == 0x30 { digits.removeLast() }
        self.digits = digits
        exponent = digits.isEmpty ? 0 : whole.count - zeros + power
        self.isNegative = isNegative && !digits.isEmpty
    }

    /// What stands behind the digits: nothing, or `e` and a whole number, which is held within bounds.
    private static func exponent(_ text: some Collection<UInt8>) -> Int? {
        guard let mark = text.first else { return 0 }
        guard mark | 0x20 == UInt8(ascii: "e") else { return nil }
        var rest = Array(text.dropFirst())
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest.removeFirst()
        }
        guard !rest.isEmpty, rest.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        let value = rest.reduce(0) { min($0 * 10 + Int($1 - 0x30), 1 << 40) }
        return isNegative ? -value : value
    }

    static func < (left: DecimalText, right: DecimalText) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        return left.isNegative ? right.isSmaller(than: left) : left.isSmaller(than: right)
    }

    /// Compares the magnitudes.
    private func isSmaller(than other: DecimalText) -> Bool {
        if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
        if exponent != other.exponent { return exponent < other.exponent }
        return digits.lexicographicallyPrecedes(other.digits)
    }
}
