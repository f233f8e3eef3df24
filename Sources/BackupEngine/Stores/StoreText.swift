/// The forms of a store's settings: each gives back its text, or nil where it is of another form.
package enum StoreText {
    /// Lower-case letters, digits, dots and hyphens, 3 to 63 of them, beginning and ending with a letter or a digit; not
    /// two dots together, and not the form of an IP address.
    /// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    package static func bucket(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard (3...63).contains(bytes.count), let first = bytes.first, let last = bytes.last, isPlain(first),
            isPlain(last), bytes.allSatisfy({ isPlain($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }),
            !text.contains("..")
        else { return nil }
        let labels = text.split(separator: ".")
        let isAddress = labels.count == 4 && labels.allSatisfy { $0.allSatisfy(\.isNumber) }
        return isAddress ? nil : text
    }

    package static func isPlain(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    package static func region(_ text: String) -> String? {
        let isName = text.utf8.allSatisfy { isPlain($0 | 0x20) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        return isName && text.utf8.count <= 64 ? text : nil
    }

    package static func prefix(_ text: String) -> String? {
        let isClean = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        return isClean && text.utf8.count <= 900 ? text : nil
    }

    /// A key, an id: printable ASCII.
    package static func key(_ text: String) -> String? {
        text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : nil
    }
}
