package import Base
import Crypto
import Foundation
package import Postgres

package struct APIKeyRow: Sendable {
    package var id: ID<APIKey>
    package var tenant: ID<Tenant>
    package var name: String
    package var last4: String
    package var scopes: [String]
    package var isBootstrap: Bool
    package var created: Timestamp
    package var expires: Timestamp?
    package var revoked: Timestamp?
    /// To about a minute.
    package var lastUsed: Timestamp?
    package init(
        id: ID<APIKey>, tenant: ID<Tenant>, name: String, last4: String, scopes: [String], expires: Timestamp?
    ) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.last4 = last4
        self.scopes = scopes
        self.expires = expires
        isBootstrap = false
        created = .current
    }
}

/// Who a key speaks for.
package struct KeyHolder: Sendable {
    package var key: ID<APIKey>
    package var tenant: ID<Tenant>
    package var kind: TenantKind
    package var scopes: [String]
    /// The tenant asked for by name exists and is the key's tenant or below it; nil when none was asked for.
    package var mayAct: Bool?
}

/// API keys: shown once, stored as HMAC-SHA-256 under a pepper derived from the master key.
package struct APIKeyStore: Sendable {
    /// How coarse `lastUsed` is: one write a minute and key, however busy it is.
    static let lastUsedSeconds = 60
    private static let columns = """
        id, tenant_id, name, last4, to_json(scopes) AS scopes, is_bootstrap, parley_ms(created_at) AS created,
        parley_ms(expires_at) AS expires, parley_ms(revoked_at) AS revoked, parley_ms(last_used_at) AS last_used
        """

    private let database: Database
    /// Current first.
    private let peppers: [SymmetricKey]

    package init(_ database: Database, masterKeys: MasterKeys) {
        self.database = database
        peppers = masterKeys.derived(for: "api-keys")
    }

    package func find(_ tenant: ID<Tenant>, id: ID<APIKey>) async throws -> APIKeyRow? {
        try await database.tenant(
            tenant, "SELECT \(Self.columns) FROM api_keys WHERE tenant_id = $1 AND id = $2",
            [.id(tenant), .id(id)]
        ).rows.first.map(APIKeyRow.init)
    }

    package func list(_ tenant: ID<Tenant>, _ page: Page<APIKey>) async throws -> Listed<APIKeyRow, APIKey> {
        try await database.list(
            tenant, page, "SELECT \(Self.columns) FROM api_keys WHERE tenant_id = $3", [.id(tenant)],
            id: \.id,
            APIKeyRow.init)
    }

    package func insert(_ row: APIKeyRow, token: Redacted<String>, in sql: PostgresTransaction) async throws {
        _ = try await sql.query(
            """
            INSERT INTO api_keys (tenant_id, id, name, hash, last4, scopes, expires_at, is_bootstrap)
            VALUES ($1, $2, $3, $4, $5, $6::text[], $7::timestamptz, $8)
            """,
            [
                .id(row.tenant), .id(row.id), .text(row.name), .bytes(Self.hash(token, peppers[0])),
                .text(row.last4), .texts(row.scopes), .time(row.expires), .bool(row.isBootstrap),
            ])
    }

    /// From the next request on the key opens nothing. False: no such key of this tenant.
    package func revoke(_ tenant: ID<Tenant>, id: ID<APIKey>) async throws -> Bool {
        try await database.tenant(
            tenant,
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE tenant_id = $1 AND id = $2 RETURNING id",
            [.id(tenant), .id(id)]
        ).rows.isEmpty == false
    }

    /// Who holds `token`, and whether they may act for `acting`. nil: unknown, revoked, expired, or suspended.
    package func holder(of token: Redacted<String>, acting: ID<Tenant>?) async throws -> KeyHolder? {
        for (number, pepper) in peppers.enumerated() {
            let hash = Self.hash(token, pepper)
            guard let row = try await look(hash, acting).rows.first else { continue }
            let holder = try Self.read(row, acting: acting)
            let isStale = try row.bool("is_stale")
            if number > 0 || isStale {
                // A key made before the master key was rotated moves to the current pepper on first use.
                _ = try await database.platform(
                    "UPDATE api_keys SET last_used_at = now(), hash = $3 WHERE tenant_id = $1 AND id = $2",
                    [.id(holder.tenant), .id(holder.key), .bytes(Self.hash(token, peppers[0]))])
            }
            return holder
        }
        return nil
    }

    private func look(_ hash: [UInt8], _ acting: ID<Tenant>?) async throws -> PostgresRows {
        try await database.platform(
            """
            SELECT k.id, k.tenant_id, t.kind, to_json(k.scopes) AS scopes,
                coalesce(a.path @> ARRAY[k.tenant_id], false) AS may_act,
                coalesce(k.last_used_at < now() - make_interval(secs => $3), true) AS is_stale
            FROM api_keys k JOIN tenants t ON t.id = k.tenant_id LEFT JOIN tenants a ON a.id = $2::uuid
            WHERE k.hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
                AND NOT EXISTS (SELECT FROM tenants s WHERE s.id = ANY (t.path) AND s.status <> 'active')
            """, [.bytes(hash), .maybe(acting), .double(Double(Self.lastUsedSeconds))])
    }

    private static func read(_ row: PostgresRow, acting: ID<Tenant>?) throws -> KeyHolder {
        guard let kind = TenantKind(rawValue: try row.text("kind")) else {
            throw Fault(code: "store.unreadable_row", retry: .never, cause: "tenants.kind")
        }
        return KeyHolder(
            key: try row.id("id"), tenant: try row.id("tenant_id"), kind: kind,
            scopes: try row.texts("scopes"),
            mayAct: acting == nil ? nil : try row.bool("may_act"))
    }

    /// Makes `token` the one bootstrap key of the operator and revokes those of earlier starts. Repeatable.
    package func keepBootstrapKey(
        _ token: Redacted<String>, of tenant: ID<Tenant>, in sql: PostgresTransaction
    ) async throws {
        let hash = Self.hash(token, peppers[0])
        _ = try await sql.query(
            "UPDATE api_keys SET revoked_at = now() WHERE is_bootstrap AND revoked_at IS NULL AND hash <> $1",
            [.bytes(hash)])
        _ = try await sql.query(
            """
            INSERT INTO api_keys (tenant_id, id, name, hash, last4, scopes, is_bootstrap)
            VALUES ($1, $2, 'PARLEY_OPERATOR_KEY', $3, $4, '{*}', true)
            ON CONFLICT (hash) DO UPDATE SET revoked_at = NULL WHERE api_keys.is_bootstrap
            """,
            [.id(tenant), .id(ID<APIKey>.new()), .bytes(hash), .text(String(token.reveal.suffix(4)))])
    }

    private static func hash(_ token: Redacted<String>, _ pepper: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data(token.reveal.utf8), using: pepper))
    }
}

extension APIKeyRow {
    init(_ row: PostgresRow) throws {
        id = try row.id("id")
        tenant = try row.id("tenant_id")
        name = try row.text("name")
        last4 = try row.text("last4")
        scopes = try row.texts("scopes")
        isBootstrap = try row.bool("is_bootstrap")
        created = try row.time("created")
        expires = try row.optionalTime("expires")
        revoked = try row.optionalTime("revoked")
        lastUsed = try row.optionalTime("last_used")
    }
}
