package import Base
import Foundation
package import Postgres

extension PostgresValue {
    package static func id<Of: Entity>(_ id: ID<Of>) -> PostgresValue { .text(id.uuidString) }
    package static func maybe<Of: Entity>(_ id: ID<Of>?) -> PostgresValue {
        id.map { .text($0.uuidString) } ?? .null
    }
    package static func maybe(_ text: String?) -> PostgresValue { text.map { .text($0) } ?? .null }
    package static func maybe(_ value: Int?) -> PostgresValue { value.map { .int(Int64($0)) } ?? .null }
    package static func maybe(_ value: Bool?) -> PostgresValue { value.map { .bool($0) } ?? .null }
    /// For a `timestamptz` column.
    package static func time(_ time: Timestamp?) -> PostgresValue { time.map { .text($0.rfc3339) } ?? .null }
    /// For a `text[]` column.
    package static func texts(_ values: [String]) -> PostgresValue {
        let quoted = values.map { value in
            "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return .text("{" + quoted.joined(separator: ",") + "}")
    }
    /// For a `uuid[]` column.
    package static func ids<Of: Entity>(_ ids: [ID<Of>]) -> PostgresValue {
        .text("{" + ids.map(\.uuidString).joined(separator: ",") + "}")
    }
    /// For a `jsonb` column.
    package static func json(_ json: JSON) -> PostgresValue { .text(json.text) }
}

extension PostgresRow {
    package func id<Of: Entity>(_ column: String, _: Of.Type = Of.self) throws -> ID<Of> {
        guard let id = ID<Of>(uuid: try text(column)) else { throw Self.unreadable(column) }
        return id
    }
    package func optionalID<Of: Entity>(_ column: String, _: Of.Type = Of.self) throws -> ID<Of>? {
        guard let text = try optionalText(column) else { return nil }
        guard let id = ID<Of>(uuid: text) else { throw Self.unreadable(column) }
        return id
    }
    /// Reads milliseconds since 1970: select a time as `parley_ms(column)`.
    package func time(_ column: String) throws -> Timestamp { Timestamp(milliseconds: try int(column)) }
    package func optionalTime(_ column: String) throws -> Timestamp? {
        try optionalInt(column).map { Timestamp(milliseconds: $0) }
    }
    /// Reads a `text[]` selected as `to_json(column)`.
    package func texts(_ column: String) throws -> [String] {
        try json(column).array?.compactMap(\.string) ?? []
    }
    package func json(_ column: String) throws -> JSON {
        guard let json = JSON(parsing: try text(column)) else { throw Self.unreadable(column) }
        return json
    }
    private static func unreadable(_ column: String) -> Fault {
        Fault(code: "store.unreadable_row", retry: .never, cause: "column \(column)")
    }
}

extension Timestamp {
    /// The wall clock, for stamping at the edge.
    package static var current: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }
}

extension ID {
    package static func new() -> ID {
        var random = SystemRandomNumberGenerator()
        return make(at: .current, using: &random)
    }
}
