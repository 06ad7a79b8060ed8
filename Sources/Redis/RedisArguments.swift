/// One command: its words in one buffer, sent by length, so any byte may occur.
struct RedisArguments: Sendable {
    private var bytes: [UInt8] = []
    private var lengths: [Int] = []

    init(_ words: [String]) {
        lengths.reserveCapacity(words.count)
        for word in words {
            bytes.append(contentsOf: word.utf8)
            lengths.append(word.utf8.count)
        }
    }

    init(_ words: [[UInt8]]) {
        lengths.reserveCapacity(words.count)
        for word in words {
            bytes.append(contentsOf: word)
            lengths.append(word.count)
        }
    }

    /// The command's name, upper case; empty when there is no word at all.
    var name: String {
        String(decoding: bytes.prefix(lengths.first ?? 0), as: UTF8.self).uppercased()
    }

    /// Lends the pointers hiredis wants: count, words (not terminated), lengths. Valid only inside `body`.
    func withPointers<Result>(
        _ body: (Int32, UnsafeMutablePointer<UnsafePointer<CChar>?>, UnsafePointer<Int>) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { buffer in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: max(1, lengths.count)) {
                pointers in
                // An empty word still needs an address.
                var next = buffer.baseAddress ?? UnsafeRawPointer(pointers.baseAddress!)
                for (index, length) in lengths.enumerated() {
                    pointers.initializeElement(at: index, to: next.assumingMemoryBound(to: CChar.self))
                    next += length
                }
                return lengths.withUnsafeBufferPointer {
                    body(Int32(lengths.count), pointers.baseAddress!, $0.baseAddress!)
                }
            }
        }
    }

    /// Why it may not be sent on a connection that others use too; nil when it may.
    var refusal: RedisError? {
        switch name {
        case "": .usage("an empty command")
        case "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE",
            "MONITOR":
            .usage("\(name) has replies of its own kind: use subscribe(_:)")
        case "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH":
            .usage("\(name) would take in other callers' commands: use EVAL, or a pipeline of MULTI … EXEC")
        case "AUTH", "SELECT", "HELLO", "RESET", "QUIT":
            .usage("\(name) changes the connection for everybody: put it into the URL")
        default: nil
        }
    }
}
