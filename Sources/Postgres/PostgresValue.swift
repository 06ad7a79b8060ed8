/// One parameter of a statement. The server infers the SQL type from the statement; write `$1::type` where it
/// cannot.
package enum PostgresValue: Hashable, Sendable {
    case null
    /// Without a zero byte: PostgreSQL stores none.
    case text(String)
    case int(Int64)
    case bool(Bool)
    case bytes([UInt8])
    case double(Double)

    /// `null` for nil.
    package init(_ text: String?) { self = text.map(PostgresValue.text) ?? .null }
    /// `null` for nil.
    package init(_ int: Int64?) { self = int.map(PostgresValue.int) ?? .null }
    /// `null` for nil.
    package init(_ bytes: [UInt8]?) { self = bytes.map(PostgresValue.bytes) ?? .null }
}

extension PostgresValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(nilLiteral: ()) { self = .null }
}

/// A setting that lasts for one statement or transaction: `set_config(name, value, true)`.
package struct LocalSetting: Hashable, Sendable {
    package var name: String
    package var value: String
    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// Parameters in text form, laid out for libpq: each value followed by a zero byte, in one buffer.
struct Parameters: Sendable {
    private var bytes: [UInt8] = []
    /// Where each value starts; -1 is null.
    private var offsets: [Int] = []

    /// - Throws: `usage` for a zero byte in a text (22021) or more than 65 535 values (54023).
    init(_ values: [PostgresValue]) throws(PostgresError) {
        guard values.count <= PostgresLimits.parametersMax else {
            throw .usage(
                "54023", "\(values.count) parameters, at most \(PostgresLimits.parametersMax) can be sent")
        }
        offsets.reserveCapacity(values.count)
        for value in values { try append(value) }
    }

    var count: Int32 { Int32(offsets.count) }

    private mutating func append(_ value: PostgresValue) throws(PostgresError) {
        if case .null = value {
            offsets.append(-1)
            return
        }
        let start = bytes.count
        offsets.append(start)
        switch value {
        case .null: break
        case .text(let text):
            bytes.append(contentsOf: text.utf8)
            guard !bytes[start...].contains(0) else {
                throw .usage("22021", "parameter \(offsets.count) holds a zero byte")
            }
        case .int(let number): bytes.append(contentsOf: String(number).utf8)
        case .bool(let isTrue): bytes.append(UInt8(ascii: isTrue ? "t" : "f"))
        case .double(let number): bytes.append(contentsOf: String(number).utf8)
        case .bytes(let raw): appendHex(raw)
        }
        bytes.append(0)
    }

    private mutating func appendHex(_ raw: [UInt8]) {
        let digits: StaticString = "0123456789abcdef"
        bytes.reserveCapacity(bytes.count + 3 + raw.count * 2)
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(UInt8(ascii: "x"))
        for byte in raw {
            bytes.append(digits.utf8Start[Int(byte >> 4)])
            bytes.append(digits.utf8Start[Int(byte & 15)])
        }
    }

    /// Lends the pointers libpq wants; valid only inside `body`.
    func withPointers<Result>(_ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result) -> Result {
        bytes.withUnsafeBytes { buffer in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: max(1, offsets.count)) {
                pointers in
                pointers.initialize(repeating: nil)
                if let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self) {
                    for (index, offset) in offsets.enumerated() where offset >= 0 {
                        pointers[index] = base + offset
                    }
                }
                return body(UnsafePointer(pointers.baseAddress!))
            }
        }
    }
}
