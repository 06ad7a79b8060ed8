/// Cuts a `text/event-stream` body into the data of its events, however the bytes are split.
///
/// Owns: lines (LF, CR, CRLF), comments, multi-line data, the byte order mark. Other fields are passed over.
/// Source: WHATWG HTML, "Server-sent events", §9.2.6.
struct SSEParser {
    /// An event larger than this is not a chat reply.
    static let eventBytesMax = 1 << 20

    struct TooLarge: Error {}

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var lastWasCR = false
    private var isStart = true

    /// The data of each event that is complete now, in order.
    mutating func push(_ bytes: some Sequence<UInt8>) throws(TooLarge) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in bytes {
            if byte == 0x0A, lastWasCR {
                lastWasCR = false
                continue
            }
            lastWasCR = byte == 0x0D
            if byte == 0x0A || byte == 0x0D {
                if let event = endLine() { events.append(event) }
            } else {
                line.append(byte)
                guard line.count + data.count <= Self.eventBytesMax else { throw TooLarge() }
            }
        }
        return events
    }

    /// What the stream ended with when its last blank line is missing, as some servers do.
    mutating func finish() -> [UInt8]? {
        if !line.isEmpty { _ = endLine() }
        return endLine()
    }

    private mutating func endLine() -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        if isStart {
            isStart = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        if line.isEmpty {
            defer {
                data = []
                hasData = false
            }
            return hasData ? data : nil
        }
        let field = line.prefix { $0 != 0x3A }
        guard field.elementsEqual("data".utf8) else { return nil }
        var value = line.dropFirst(field.count + 1)
        if value.first == 0x20 { value.removeFirst() }
        if hasData { data.append(0x0A) }
        data += value
        hasData = true
        return nil
    }
}
