/// The prepared statements of one connection, by their SQL. The least recently used one makes room.
struct StatementCache {
    struct Use {
        let name: String
        /// Not on the server yet: prepare it first.
        let isNew: Bool
        /// To be deallocated to make room.
        let evicted: String?
    }
    private struct Entry {
        let name: String
        var lastUse: UInt64
    }

    private let capacity: Int
    private var entries: [String: Entry] = [:]
    private var uses: UInt64 = 0
    private var names: UInt64 = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.count }

    mutating func use(_ sql: String) -> Use {
        uses += 1
        if let index = entries.index(forKey: sql) {
            entries.values[index].lastUse = uses
            return Use(name: entries.values[index].name, isNew: false, evicted: nil)
        }
        // Names are never used twice, so a failed deallocation cannot clash with a later statement.
        names += 1
        let name = "s\(names)"
        let evicted = entries.count >= capacity ? evict() : nil
        entries[sql] = Entry(name: name, lastUse: uses)
        return Use(name: name, isNew: true, evicted: evicted)
    }

    /// Does nothing when `sql` has been prepared anew under another name since.
    mutating func forget(_ sql: String, name: String) {
        if entries[sql]?.name == name { entries[sql] = nil }
    }

    private mutating func evict() -> String? {
        guard let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
        entries[oldest.key] = nil
        return oldest.value.name
    }
}
