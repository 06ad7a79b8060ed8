internal import CHiredis

/// One answer of the server (RESP2).
package enum RedisReply: Hashable, Sendable {
    case null
    case int(Int64)
    case status(String)
    case string([UInt8])
    case array([RedisReply])
    /// Inside arrays and pipelines; a command's own error is thrown.
    case error(String)

    package var isNull: Bool { self == .null }
    /// Of a status or string; wrong UTF-8 is repaired.
    package var text: String? {
        switch self {
        case .status(let text): text
        case .string(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }
    package var bytes: [UInt8]? {
        switch self {
        case .status(let text): Array(text.utf8)
        case .string(let bytes): bytes
        default: nil
        }
    }
    /// Of an integer, or of a string holding one.
    package var int: Int64? {
        if case .int(let number) = self { number } else { text.flatMap { Int64($0) } }
    }
    package var array: [RedisReply]? { if case .array(let items) = self { items } else { nil } }
}

extension RedisReply {
    /// Copies what hiredis parsed; hiredis bounds the nesting.
    init(_ reply: UnsafePointer<redisReply>) {
        switch reply.pointee.type {
        case REDIS_REPLY_INTEGER: self = .int(reply.pointee.integer)
        case REDIS_REPLY_STRING: self = .string(Array(Self.raw(reply)))
        case REDIS_REPLY_STATUS: self = .status(String(decoding: Self.raw(reply), as: UTF8.self))
        case REDIS_REPLY_ERROR: self = .error(String(decoding: Self.raw(reply), as: UTF8.self))
        case REDIS_REPLY_ARRAY:
            self = .array(
                (0..<reply.pointee.elements).map { index in
                    reply.pointee.element[index].map { RedisReply(UnsafePointer($0)) } ?? .null
                })
        default: self = .null
        }
    }

    private static func raw(_ reply: UnsafePointer<redisReply>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: reply.pointee.str, count: reply.pointee.len)
    }
}
