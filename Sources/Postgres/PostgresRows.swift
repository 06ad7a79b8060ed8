internal import CLibPQ
import Glibc

/// What a statement returned. The rows share one buffer, freed with the last of them.
///
/// The whole result is held in memory: put a `limit` into statements that can return many rows.
package struct PostgresRows: Sendable {
    package var rows: [PostgresRow]
    /// Rows inserted, updated, deleted or selected.
    package var affected: Int

    package var first: PostgresRow? { rows.first }
    package var isEmpty: Bool { rows.isEmpty }
    package var count: Int { rows.count }
    /// What ran, as the server calls it: `INSERT`, `ROLLBACK`.
    let command: String

    init(_ result: ResultMemory?) {
        guard let result else {
            (rows, affected, command) = ([], 0, "")
            return
        }
        rows = (0..<PQntuples(result.raw)).map { PostgresRow(result: result, row: $0) }
        command = PQcmdStatus(result.raw).map { String(cString: $0) } ?? ""
        affected = PQcmdTuples(result.raw).flatMap { Int(String(cString: $0)) } ?? 0
    }
}

/// One row, values in PostgreSQL's text form, read when asked for.
///
/// Every reader throws `PostgresError` (`usage`): 42703 no such column, 22004 null where a value was asked
/// for,
/// 22P02 not of that type.
package struct PostgresRow: Sendable {
    let result: ResultMemory
    let row: Int32

    package var columns: [String] {
        (0..<PQnfields(result.raw)).map { String(cString: PQfname(result.raw, $0)) }
    }

    package func text(_ column: String) throws(PostgresError) -> String { try text(index(column)) }
    package func optionalText(_ column: String) throws(PostgresError) -> String? {
        try optionalText(index(column))
    }
    package func int(_ column: String) throws(PostgresError) -> Int64 { try int(index(column)) }
    package func optionalInt(_ column: String) throws(PostgresError) -> Int64? {
        try optionalInt(index(column))
    }
    package func bool(_ column: String) throws(PostgresError) -> Bool { try bool(index(column)) }
    package func optionalBool(_ column: String) throws(PostgresError) -> Bool? {
        try optionalBool(index(column))
    }
    package func bytes(_ column: String) throws(PostgresError) -> [UInt8] { try bytes(index(column)) }
    package func optionalBytes(_ column: String) throws(PostgresError) -> [UInt8]? {
        try optionalBytes(index(column))
    }
    package func double(_ column: String) throws(PostgresError) -> Double { try double(index(column)) }
    package func optionalDouble(_ column: String) throws(PostgresError) -> Double? {
        try optionalDouble(index(column))
    }

    package func text(_ column: Int) throws(PostgresError) -> String {
        try needed(optionalText(column), column)
    }
    package func int(_ column: Int) throws(PostgresError) -> Int64 { try needed(optionalInt(column), column) }
    package func bool(_ column: Int) throws(PostgresError) -> Bool {
        try needed(optionalBool(column), column)
    }
    package func bytes(_ column: Int) throws(PostgresError) -> [UInt8] {
        try needed(optionalBytes(column), column)
    }
    package func double(_ column: Int) throws(PostgresError) -> Double {
        try needed(optionalDouble(column), column)
    }

    package func optionalText(_ column: Int) throws(PostgresError) -> String? {
        try raw(column).map { String(decoding: $0, as: UTF8.self) }
    }
    package func optionalInt(_ column: Int) throws(PostgresError) -> Int64? {
        try read(column, "an integer") { Int64(String(decoding: $0, as: UTF8.self)) }
    }
    package func optionalDouble(_ column: Int) throws(PostgresError) -> Double? {
        try read(column, "a number") { Double(String(decoding: $0, as: UTF8.self)) }
    }
    package func optionalBool(_ column: Int) throws(PostgresError) -> Bool? {
        try read(column, "a boolean") { value in
            guard value.count == 1 else { return nil }
            return switch value[0] {
            case UInt8(ascii: "t"): true
            case UInt8(ascii: "f"): false
            default: nil
            }
        }
    }
    package func optionalBytes(_ column: Int) throws(PostgresError) -> [UInt8]? {
        try read(column, "a bytea in hex form", Self.fromHex)
    }
}

extension PostgresRow {
    /// Exact match of the name, first one wins. Rows have few columns: no table is built.
    private func index(_ column: String) throws(PostgresError) -> Int {
        let found = column.withCString { name -> Int32? in
            (0..<PQnfields(result.raw)).first { strcmp(PQfname(result.raw, $0), name) == 0 }
        }
        guard let found else { throw .usage("42703", "the result has no column \(column)") }
        return Int(found)
    }

    private func raw(_ column: Int) throws(PostgresError) -> UnsafeRawBufferPointer? {
        guard column >= 0, column < PQnfields(result.raw) else {
            throw .usage("42703", "the result has no column \(column)")
        }
        let column = Int32(column)
        if PQgetisnull(result.raw, row, column) == 1 { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result.raw, row, column), count: Int(PQgetlength(result.raw, row, column)))
    }

    private func read<Value>(
        _ column: Int, _ expected: String, _ parse: (UnsafeRawBufferPointer) -> Value?
    ) throws(PostgresError) -> Value? {
        guard let value = try raw(column) else { return nil }
        guard let parsed = parse(value) else {
            throw .usage("22P02", "column \(name(column)) is not \(expected)")
        }
        return parsed
    }

    private func needed<Value>(_ value: Value?, _ column: Int) throws(PostgresError) -> Value {
        guard let value else { throw .usage("22004", "column \(name(column)) is null") }
        return value
    }

    private func name(_ column: Int) -> String { String(cString: PQfname(result.raw, Int32(column))) }

    private static func fromHex(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        guard text.count >= 2, text.count % 2 == 0, text[0] == UInt8(ascii: "\\"),
            text[1] == UInt8(ascii: "x")
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2 - 1)
        for index in stride(from: 2, to: text.count, by: 2) {
            guard let high = digit(text[index]), let low = digit(text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        case 0x41...0x46: byte - 0x41 + 10
        default: nil
        }
    }
}

/// Owns one `PGresult`. Reading it from several threads is safe: libpq never changes it after handing it out.
final class ResultMemory: @unchecked Sendable {
    let raw: OpaquePointer
    init(_ raw: OpaquePointer) { self.raw = raw }
    deinit { PQclear(raw) }
}
