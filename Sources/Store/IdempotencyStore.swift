package import Base
import CallDispatch
import Crypto
import Foundation
package import Postgres

/// What a create answered: kept, so that its repetition answers the same.
package struct StoredAnswer: Hashable, Sendable, Codable {
    package var status: Int
    package var location: String?
    /// JSON text.
    package var body: String
    package init(status: Int, location: String? = nil, body: String) {
        self.status = status
        self.location = location
        self.body = body
    }
}

/// A client's key for one create, and what it stands for.
package struct IdempotencyKey: Sendable {
    package static let lengthMax = 255
    package static let lifetime: Duration = .seconds(7 * 24 * 3600)

    package var key: String
    /// SHA-256 over method, path and body.
    package var fingerprint: [UInt8]
    package init(key: String, fingerprint: [UInt8]) {
        self.key = key
        self.fingerprint = fingerprint
    }
}

/// Makes a create happen once, however often it is asked for.
///
/// The mechanism, in one SQL transaction:
/// 1. a transaction-level advisory lock on (tenant, key), *tried*: whoever holds it is doing this very create now, so
///    a parallel repetition is refused (`idempotency_in_flight`) instead of waiting;
/// 2. a look for the row of an earlier create: found with the same fingerprint, its answer is given again; found with
///    another, the request is refused (`idempotency_mismatch`);
/// 3. the effect, then the row with the answer, then COMMIT.
/// So effect and record exist together or not at all: a crash, a refusal or a fault at any point leaves neither, and
/// no "in progress" row can be left behind. Only success is recorded. The lock dies with its connection.
package struct IdempotencyStore: Sendable {
    /// The role a create runs under.
    package enum Role: Sendable { case tenant, platform }
    package struct Outcome: Sendable {
        package var answer: StoredAnswer
        package var isReplayed: Bool
    }
    /// Rows removed by one sweep, so that it never holds the table for long.
    package static let sweepMax = 1000

    private let database: Database
    private let vault: Vault
    package init(_ database: Database, vault: Vault) {
        self.database = database
        self.vault = vault
    }

    /// Runs `effect` in one SQL transaction, at most once for `key`. nil: no key was given, nothing is recorded.
    /// - Throws: `Refusal` `idempotency_in_flight`, `idempotency_mismatch`; what `effect` throws, after a rollback.
    package func once(
        _ tenant: ID<Tenant>, key: IdempotencyKey?, as role: Role = .tenant,
        _ effect: @escaping @Sendable (PostgresTransaction) async throws -> StoredAnswer
    ) async throws -> Outcome {
        guard let key else {
            let answer = try await transaction(tenant, role, effect)
            return Outcome(answer: answer, isReplayed: false)
        }
        let seal = try await vault.seal(for: tenant)
        return try await transaction(tenant, role) { sql in
            if let earlier = try await Self.earlier(tenant, key, seal, sql) {
                return Outcome(answer: earlier, isReplayed: true)
            }
            let answer = try await effect(sql)
            try await Self.record(tenant, key, answer, seal, sql)
            return Outcome(answer: answer, isReplayed: false)
        }
    }

    /// Forgets keys older than a week. - Returns: how many; `sweepMax` means that there may be more.
    package func sweep() async throws -> Int {
        try await database.platform(
            """
            DELETE FROM idempotency_keys WHERE (tenant_id, key) IN (SELECT tenant_id, key FROM idempotency_keys
            WHERE created_at < now() - make_interval(secs => $1) ORDER BY created_at LIMIT $2)
            """, [.double(Self.lifetimeSeconds), .maybe(Self.sweepMax)]
        ).affected
    }

    private static let lifetimeSeconds = Double(IdempotencyKey.lifetime.milliseconds / 1000)

    private func transaction<T: Sendable>(
        _ tenant: ID<Tenant>, _ role: Role, _ body: @Sendable (PostgresTransaction) async throws -> T
    ) async throws -> T {
        switch role {
        case .tenant: try await database.tenantTransaction(tenant, body)
        case .platform: try await database.platformTransaction(body)
        }
    }

    private static func earlier(
        _ tenant: ID<Tenant>, _ key: IdempotencyKey, _ seal: TenantSeal, _ sql: PostgresTransaction
    ) async throws -> StoredAnswer? {
        let locked = try await sql.query(
            "SELECT pg_try_advisory_xact_lock($1::bigint) AS locked", [.int(lockNumber(tenant, key.key))])
        guard try locked.rows[0].bool("locked") else {
            throw Refusal(
                code: "idempotency_in_flight",
                message: "a request with this Idempotency-Key is being worked on")
        }
        let found = try await sql.query(
            """
            SELECT fingerprint, sealed_answer, created_at < now() - make_interval(secs => $3) AS is_expired
            FROM idempotency_keys WHERE tenant_id = $1 AND key = $2
            """, [.id(tenant), .text(key.key), .double(lifetimeSeconds)])
        guard let row = found.rows.first else { return nil }
        if try row.bool("is_expired") {
            _ = try await sql.query(
                "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND key = $2",
                [.id(tenant), .text(key.key)])
            return nil
        }
        guard try row.bytes("fingerprint") == key.fingerprint else {
            throw Refusal(
                code: "idempotency_mismatch", message: "this Idempotency-Key was used with another request")
        }
        let text = try seal.open(try row.bytes("sealed_answer"), column: column, row: key.key)
        return try JSONDecoder().decode(StoredAnswer.self, from: Data(text))
    }

    private static func record(
        _ tenant: ID<Tenant>, _ key: IdempotencyKey, _ answer: StoredAnswer, _ seal: TenantSeal,
        _ sql: PostgresTransaction
    ) async throws {
        let sealed = try seal.seal(Array(try JSONEncoder().encode(answer)), column: column, row: key.key)
        _ = try await sql.query(
            """
            INSERT INTO idempotency_keys (tenant_id, key, fingerprint, status, sealed_answer)
            VALUES ($1, $2, $3, $4, $5)
            """,
            [.id(tenant), .text(key.key), .bytes(key.fingerprint), .maybe(answer.status), .bytes(sealed)])
    }

    private static let column = "idempotency_keys.sealed_answer"

    /// Locks are numbered: two keys meet by chance once in 2⁶⁴, and then one of them is asked to try again.
    private static func lockNumber(_ tenant: ID<Tenant>, _ key: String) -> Int64 {
        let digest = SHA256.hash(data: Data("\(tenant)|\(key)".utf8))
        return digest.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
    }
}
