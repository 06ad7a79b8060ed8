package import Base
package import Postgres

package enum Vendor: String, Sendable, CaseIterable {
    case twilio, openai, anthropic, deepgram, cartesia, elevenlabs
    /// Any other endpoint that speaks OpenAI's chat completions.
    case compatible

    /// Where the vendor's API is when a credential names no other place. No trailing slash.
    /// nil: it must name one.
    package var defaultBaseURL: String? {
        switch self {
        case .twilio: "https://api.twilio.com"
        case .openai: "https://api.openai.com/v1"
        case .anthropic: "https://api.anthropic.com"
        case .deepgram: "https://api.deepgram.com"
        case .cartesia: "https://api.cartesia.ai"
        case .elevenlabs: "https://api.elevenlabs.io"
        case .compatible: nil
        }
    }
}

/// A tenant's account at a vendor. Its secret stays sealed until `CredentialStore.reveal`.
package struct CredentialRow: Sendable {
    package var id: ID<Credential>
    package var vendor: Vendor
    package var name: String
    /// Twilio's account SID.
    package var account: String?
    package var baseURL: String
    package var last4: String
    package var created: Timestamp
    package init(
        id: ID<Credential>, vendor: Vendor, name: String, account: String?, baseURL: String, last4: String
    ) {
        self.id = id
        self.vendor = vendor
        self.name = name
        self.account = account
        self.baseURL = baseURL
        self.last4 = last4
        created = .current
    }
}

package struct RevealedCredential: Sendable {
    package var credential: CredentialRow
    /// Twilio's auth token, a model vendor's API key.
    package var secret: Redacted<String>
}

package struct CredentialStore: Sendable {
    private let database: Database
    private let vault: Vault
    package init(_ database: Database, vault: Vault) {
        self.database = database
        self.vault = vault
    }

    private static let columns = """
        id, vendor, name, account, base_url, last4, parley_ms(created_at) AS created
        """
    private static let sealedColumn = "credentials.sealed_secret"

    package func find(_ tenant: ID<Tenant>, id: ID<Credential>) async throws -> CredentialRow? {
        try await database.tenant(
            tenant, "SELECT \(Self.columns) FROM credentials WHERE tenant_id = $1 AND id = $2",
            [.id(tenant), .id(id)]
        ).rows.first.map(CredentialRow.init)
    }

    package func list(
        _ tenant: ID<Tenant>, _ page: Page<Credential>
    ) async throws -> Listed<CredentialRow, Credential> {
        try await database.list(
            tenant, page, "SELECT \(Self.columns) FROM credentials WHERE tenant_id = $3", [.id(tenant)],
            id: \.id,
            CredentialRow.init)
    }

    /// Seals before the transaction, so that the seal's own look-up needs no second connection inside it.
    package func sealed(_ tenant: ID<Tenant>, id: ID<Credential>, secret: Redacted<String>) async throws
        -> [UInt8]
    {
        try await vault.seal(for: tenant)
            .seal(Array(secret.reveal.utf8), column: Self.sealedColumn, row: id.description)
    }

    package static func insert(
        _ tenant: ID<Tenant>, _ row: CredentialRow, sealed: [UInt8], in sql: PostgresTransaction
    ) async throws {
        _ = try await sql.query(
            """
            INSERT INTO credentials (tenant_id, id, vendor, name, account, base_url, sealed_secret, last4)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                .id(tenant), .id(row.id), .text(row.vendor.rawValue), .text(row.name), .maybe(row.account),
                .text(row.baseURL), .bytes(sealed), .text(row.last4),
            ])
    }

    /// nil: no such credential.
    package static func vendor(
        _ tenant: ID<Tenant>, id: ID<Credential>, in sql: PostgresTransaction
    ) async throws -> Vendor? {
        // Not FOR SHARE, which would need the right to UPDATE: the foreign key keeps the row until COMMIT.
        try await sql.query(
            "SELECT vendor FROM credentials WHERE tenant_id = $1 AND id = $2", [.id(tenant), .id(id)]
        ).rows.first.flatMap { Vendor(rawValue: try $0.text("vendor")) }
    }

    /// Is there a credential of this name at the vendor?
    package static func isNamed(
        _ tenant: ID<Tenant>, _ name: String, vendor: String, in sql: PostgresTransaction
    ) async throws -> Bool {
        try await sql.query(
            "SELECT id FROM credentials WHERE tenant_id = $1 AND vendor = $2 AND name = $3 LIMIT 1",
            [.id(tenant), .text(vendor), .text(name)]
        ).rows.isEmpty == false
    }

    /// False: no such credential. - Throws: `PostgresError` 23503 while a number uses it.
    package func delete(_ tenant: ID<Tenant>, id: ID<Credential>) async throws -> Bool {
        try await database.tenant(
            tenant, "DELETE FROM credentials WHERE tenant_id = $1 AND id = $2", [.id(tenant), .id(id)]
        ).affected == 1
    }

    /// For a plan or a webhook's signature; never for an answer or a log.
    package func reveal(_ tenant: ID<Tenant>, id: ID<Credential>) async throws -> RevealedCredential? {
        try await reveal(tenant, "id = $2", .id(id))
    }

    /// The newest credential of a vendor.
    package func revealNewest(_ tenant: ID<Tenant>, vendor: Vendor) async throws -> RevealedCredential? {
        try await reveal(tenant, "vendor = $2", .text(vendor.rawValue))
    }

    private func reveal(
        _ tenant: ID<Tenant>, _ condition: String, _ value: PostgresValue
    ) async throws -> RevealedCredential? {
        let found = try await database.tenant(
            tenant,
            """
            SELECT \(Self.columns), sealed_secret FROM credentials WHERE tenant_id = $1 AND \(condition)
            ORDER BY id DESC LIMIT 1
            """, [.id(tenant), value])
        guard let row = found.rows.first else { return nil }
        let credential = try CredentialRow(row)
        let secret = try await vault.seal(for: tenant)
            .open(try row.bytes("sealed_secret"), column: Self.sealedColumn, row: credential.id.description)
        return RevealedCredential(
            credential: credential, secret: Redacted(String(decoding: secret, as: UTF8.self)))
    }
}

extension CredentialRow {
    init(_ row: PostgresRow) throws {
        id = try row.id("id")
        guard let vendor = Vendor(rawValue: try row.text("vendor")) else {
            throw Fault(code: "store.unreadable_row", retry: .never, cause: "credentials.vendor")
        }
        self.vendor = vendor
        name = try row.text("name")
        account = try row.optionalText("account")
        baseURL = try row.text("base_url")
        last4 = try row.text("last4")
        created = try row.time("created")
    }
}
