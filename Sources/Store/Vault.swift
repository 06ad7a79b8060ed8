package import Base
import CallDispatch
package import Crypto
import Foundation
import Postgres
import Synchronization

/// Hands out each tenant's seal, making its data key when there is none yet.
///
/// Owns: data keys and their wrapping. Does not own: what is sealed. A data key in memory is as secret as a master
/// key; it is never logged and never leaves the process.
package final class Vault: Sendable {
    /// Tenants whose data keys are kept in memory; when full, all are forgotten and read again.
    package static let cachedTenantsMax = 10_000

    package let masterKeys: MasterKeys
    private let database: Database
    private let cache = Mutex<[ID<Tenant>: TenantSeal]>([:])

    package init(database: Database, masterKeys: MasterKeys) {
        self.database = database
        self.masterKeys = masterKeys
    }

    /// The tenant must exist (committed).
    package func seal(for tenant: ID<Tenant>) async throws -> TenantSeal {
        if let seal = cache.withLock({ $0[tenant] }) { return seal }
        var seal = try await read(tenant)
        if seal == nil {
            try await makeKey(tenant)
            seal = try await read(tenant)
        }
        guard let seal else {
            throw Fault(code: "vault.no_data_key", retry: .never, cause: "tenant \(tenant)")
        }
        cache.withLock { cache in
            if cache.count >= Self.cachedTenantsMax { cache.removeAll() }
            cache[tenant] = seal
        }
        return seal
    }

    /// Seals every data key that is under an older master key with the current one. Repeating it changes nothing.
    /// - Returns: how many were re-wrapped.
    package func rewrap() async throws -> Int {
        let old = try await database.platform(
            "SELECT tenant_id, number, master_key_id, sealed_key FROM tenant_keys WHERE master_key_id <> $1",
            [.text(masterKeys.current.id)])
        for row in old.rows {
            let tenant = try row.id("tenant_id", Tenant.self)
            let number = Int(try row.int("number"))
            let key = try unwrap(row, tenant: tenant, number: number)
            _ = try await database.platform(
                "UPDATE tenant_keys SET master_key_id = $3, sealed_key = $4 WHERE tenant_id = $1 AND number = $2",
                [
                    .id(tenant), .maybe(number), .text(masterKeys.current.id),
                    .bytes(try wrap(key, tenant, number)),
                ])
        }
        return old.rows.count
    }

    private func read(_ tenant: ID<Tenant>) async throws -> TenantSeal? {
        let found = try await database.tenant(
            tenant, "SELECT number, master_key_id, sealed_key FROM tenant_keys WHERE tenant_id = $1",
            [.id(tenant)])
        var keys: [Int: SymmetricKey] = [:]
        for row in found.rows {
            let number = Int(try row.int("number"))
            keys[number] = try unwrap(row, tenant: tenant, number: number)
        }
        return keys.isEmpty ? nil : TenantSeal(tenant: tenant, keys: keys)
    }

    private func makeKey(_ tenant: ID<Tenant>) async throws {
        let sealed = try wrap(SymmetricKey(size: .bits256), tenant, 1)
        // Two processes may meet here: the first one's key is kept by both.
        _ = try await database.tenant(
            tenant,
            """
            INSERT INTO tenant_keys (tenant_id, number, master_key_id, sealed_key) VALUES ($1, 1, $2, $3)
            ON CONFLICT DO NOTHING
            """, [.id(tenant), .text(masterKeys.current.id), .bytes(sealed)])
    }

    private func wrap(_ key: SymmetricKey, _ tenant: ID<Tenant>, _ number: Int) throws -> [UInt8] {
        try Sealing.seal(
            key.withUnsafeBytes { Array($0) }, with: masterKeys.current.key, bound: Self.bound(tenant, number)
        )
    }

    private func unwrap(_ row: PostgresRow, tenant: ID<Tenant>, number: Int) throws -> SymmetricKey {
        let id = try row.text("master_key_id")
        guard let master = masterKeys.key(id: id) else {
            throw Fault(
                code: "vault.master_key_missing", retry: .never,
                cause:
                    "tenant \(tenant) is sealed under master key \(id), which PARLEY_MASTER_KEY does not list"
            )
        }
        let bytes = try Sealing.open(
            try row.bytes("sealed_key"), with: master.key, bound: Self.bound(tenant, number))
        return SymmetricKey(data: bytes)
    }

    private static func bound(_ tenant: ID<Tenant>, _ number: Int) -> String {
        "\(tenant)|tenant_keys|\(number)"
    }
}

/// Seals and opens what belongs to one tenant. What was sealed for another tenant, column or row does not open.
package struct TenantSeal: Sendable {
    package let tenant: ID<Tenant>
    private let keys: [Int: SymmetricKey]
    private let newest: Int

    init(tenant: ID<Tenant>, keys: [Int: SymmetricKey]) {
        self.tenant = tenant
        self.keys = keys
        newest = keys.keys.max() ?? 0
    }

    /// `column` is `table.column`; `row` is the row's key. Four bytes of key number, then nonce, text and tag.
    package func seal(_ bytes: [UInt8], column: String, row: String) throws -> [UInt8] {
        guard let key = keys[newest] else { throw Self.unreadable(column) }
        let number = withUnsafeBytes(of: UInt32(newest).bigEndian) { Array($0) }
        return number + (try Sealing.seal(bytes, with: key, bound: bound(column, row)))
    }

    package func open(_ sealed: [UInt8], column: String, row: String) throws -> [UInt8] {
        guard sealed.count > 4 else { throw Self.unreadable(column) }
        let number = sealed.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard let key = keys[number] else { throw Self.unreadable(column) }
        return try Sealing.open(Array(sealed.dropFirst(4)), with: key, bound: bound(column, row))
    }

    /// A key of the tenant's own for one purpose, such as one call's checkpoints. The same as long as the first
    /// data key lives.
    package func derived(for purpose: String) -> SymmetricKey? {
        keys[1].map { MasterKeys.derive($0, purpose) }
    }

    private func bound(_ column: String, _ row: String) -> String { "\(tenant)|\(column)|\(row)" }

    private static func unreadable(_ column: String) -> Fault {
        Fault(code: "vault.cannot_open", retry: .never, cause: column)
    }
}

/// AES-256-GCM with a random 96-bit nonce in front and the tag behind; `bound` is authenticated with it.
enum Sealing {
    static func seal(_ bytes: [UInt8], with key: SymmetricKey, bound: String) throws -> [UInt8] {
        let box = try AES.GCM.seal(bytes, using: key, authenticating: Data(bound.utf8))
        guard let combined = box.combined else {
            throw Fault(code: "vault.cannot_seal", retry: .never, cause: "no combined form")
        }
        return Array(combined)
    }

    static func open(_ sealed: [UInt8], with key: SymmetricKey, bound: String) throws -> [UInt8] {
        do {
            return Array(
                try AES.GCM.open(.init(combined: sealed), using: key, authenticating: Data(bound.utf8)))
        } catch {
            throw Fault(code: "vault.cannot_open", retry: .never, cause: "wrong key or altered text")
        }
    }
}
