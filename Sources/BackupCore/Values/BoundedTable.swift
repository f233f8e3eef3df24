/// A dictionary that never holds more than so many entries: the oldest makes room. For what strangers can fill.
package struct BoundedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    package let capacity: Int
    private var values: [Key: (value: Value, number: Int)] = [:]
    /// The keys by age. A key that was removed, or made anew, leaves a gap, which is passed over.
    private var order: [(key: Key, number: Int)] = []
    private var first = 0
    private var lastNumber = 0

    /// - Parameter capacity: at least 1.
    package init(capacity: Int) { self.capacity = max(1, capacity) }

    package var count: Int { values.count }

    /// A new entry counts as the youngest; one that is changed keeps its age; nil removes it.
    package subscript(key key: Key) -> Value? {
        get { values[key]?.value }
        set {
            guard let newValue else {
                values[key] = nil
                return
            }
            if let number = values[key]?.number {
                values[key] = (newValue, number)
            } else {
                insert(newValue, key)
            }
        }
    }

    package mutating func removeAll() { self = BoundedTable(capacity: capacity) }

    private mutating func insert(_ value: Value, _ key: Key) {
        while values.count >= capacity { dropOldest() }
        lastNumber += 1
        values[key] = (value, lastNumber)
        order.append((key, lastNumber))
        // What was passed over or left gaps is given back now and then, at a cost that many insertions share.
        if order.count > 2 * capacity + 16 {
            order = order[first...].filter { values[$0.key]?.number == $0.number }
            first = 0
        }
    }

    private mutating func dropOldest() {
        while first < order.count {
            let (key, number) = order[first]
            first += 1
            if values[key]?.number == number {
                values[key] = nil
                return
            }
        }
    }
}
