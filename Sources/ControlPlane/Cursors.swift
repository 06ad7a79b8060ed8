package import Base
import Crypto
import Foundation
package import Hummingbird
package import Store

/// The opaque `cursor` of a list: the last id shown, bound to list and tenant by an HMAC.
package struct Cursors: Sendable {
    /// Bytes of the HMAC that are kept: forging one shows nothing that the key's holder could not list anyway.
    private static let tagBytes = 12

    private let keys: [SymmetricKey]

    package init(_ masterKeys: MasterKeys) { keys = masterKeys.derived(for: "cursors") }

    package func text<Of: Entity>(_ id: ID<Of>?, list: String, tenant: ID<Tenant>) -> String? {
        guard let id else { return nil }
        let bytes = [id.high, id.low].flatMap { value in
            withUnsafeBytes(of: value.bigEndian) { Array($0) }
        }
        return Self.base64URL(bytes + tag(bytes, list, tenant, keys[0]))
    }

    /// `limit` (1...100) and `cursor` from the query; further parameter names the route knows go in `filters`.
    /// - Throws: 400 `bad_query`, `bad_cursor`.
    package func page<Of: Entity>(
        _ request: Request, list: String, tenant: ID<Tenant>, filters: [String] = [], _: Of.Type = Of.self
    ) throws -> Page<Of> {
        let query = try Convert.query(request, allowed: ["limit", "cursor"] + filters)
        var page = Page<Of>()
        if let text = query["limit"] {
            guard let limit = Int(text), (1...Page<Of>.limitMax).contains(limit) else {
                throw Convert.badQuery("limit must be 1 to \(Page<Of>.limitMax)")
            }
            page.limit = limit
        }
        if let text = query["cursor"] { page.after = try id(text, list: list, tenant: tenant) }
        return page
    }

    private func id<Of: Entity>(_ text: String, list: String, tenant: ID<Tenant>) throws -> ID<Of> {
        guard let bytes = Self.bytes(base64URL: text), bytes.count == 16 + Self.tagBytes else {
            throw Self.bad
        }
        let id = Array(bytes.prefix(16))
        let given = Array(bytes.dropFirst(16))
        guard keys.contains(where: { Self.areEqual(tag(id, list, tenant, $0), given) }) else {
            throw Self.bad
        }
        func half(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        return ID<Of>(high: half(id[0..<8]), low: half(id[8..<16]))
    }

    private static var bad: Problem {
        Problem(
            .badRequest, "bad_cursor",
            "this cursor does not belong to this list: take next_cursor as it was given")
    }

    private func tag(_ id: [UInt8], _ list: String, _ tenant: ID<Tenant>, _ key: SymmetricKey) -> [UInt8] {
        var code = HMAC<SHA256>(key: key)
        code.update(data: Data("\(list)|\(tenant)|".utf8))
        code.update(data: Data(id))
        return Array(code.finalize().prefix(Self.tagBytes))
    }

    /// Takes the same time wherever they differ.
    private static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=", with: "")
    }

    private static func bytes(base64URL text: String) -> [UInt8]? {
        guard text.utf8.count <= 64 else { return nil }
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)).map
        { Array($0) }
    }
}
