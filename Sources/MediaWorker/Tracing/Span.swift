package import Base

/// Something that took time, as tracing systems know it.
package struct Span: Hashable, Sendable {
    /// 16 bytes and 8 bytes, lower-case hex, not all zero.
    package var trace: String
    package var id: String
    package var parent: String?
    package var name: String
    /// Nanoseconds since 1970, UTC.
    package var start: Int64
    package var end: Int64
    package var attributes: [String: JSON]
    package var hasFailed = false

    package init(
        trace: String, id: String, parent: String?, name: String, times: (start: Int64, end: Int64),
        attributes: [String: JSON] = [:]
    ) {
        self.trace = trace
        self.id = id
        self.parent = parent
        self.name = name
        start = times.start
        end = max(times.start, times.end)
        self.attributes = attributes
    }
}

/// Spans as a collector takes them: the body of `POST /v1/traces`.
/// Source: OpenTelemetry protocol 1.x, JSON encoding (hex ids, 64-bit integers as strings, enums as numbers).
enum OTLP {
    private static let internalKind: JSON = 1
    private static let errorStatus: JSON = ["code": 2]

    static func body(_ spans: [Span], resource: [String: JSON]) -> [UInt8] {
        let document: JSON = [
            "resourceSpans": [
                [
                    "resource": ["attributes": attributes(resource)],
                    "scopeSpans": [
                        ["scope": ["name": "parley"], "spans": .array(spans.map(json))]
                    ],
                ]
            ]
        ]
        return Array(document.text.utf8)
    }

    private static func json(_ span: Span) -> JSON {
        var members: [String: JSON] = [
            "traceId": .string(span.trace), "spanId": .string(span.id), "name": .string(span.name),
            "kind": internalKind, "startTimeUnixNano": .string(String(span.start)),
            "endTimeUnixNano": .string(String(span.end)), "attributes": attributes(span.attributes),
        ]
        if let parent = span.parent { members["parentSpanId"] = .string(parent) }
        if span.hasFailed { members["status"] = errorStatus }
        return .object(members)
    }

    private static func attributes(_ values: [String: JSON]) -> JSON {
        .array(
            values.sorted { $0.key < $1.key }.map { key, value in
                let typed: JSON =
                    switch value {
                    case .int(let number): ["intValue": .string(String(number))]
                    case .bool(let flag): ["boolValue": .bool(flag)]
                    case .double(let number): ["doubleValue": .double(number)]
                    default: ["stringValue": .string(value.string ?? value.text)]
                    }
                return ["key": .string(key), "value": typed]
            })
    }
}
