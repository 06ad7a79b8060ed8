package import Base
package import Billing
import CallDispatch
import Postgres
package import Store

/// What a new platform needs before its first request: the operator, the operator's key, a price book. Repeatable.
package struct Bootstrap: Sendable {
    /// A shorter key would be guessed.
    package static let operatorKeyBytesMin = 16
    package static let concurrencyLimit = 10_000

    private let database: Database
    private let keys: APIKeyStore
    package init(database: Database, masterKeys: MasterKeys) {
        self.database = database
        keys = APIKeyStore(database, masterKeys: masterKeys)
    }

    /// `operatorKey` is `PARLEY_OPERATOR_KEY`; with nil nobody gets in who has no key yet. A changed key replaces the
    /// one before.
    /// `models`: the rates of the language models that agents may name from the start.
    /// - Throws: `Refusal` `bad_operator_key`.
    @discardableResult
    package func callAsFunction(
        operatorKey: Redacted<String>?, region: String, models: [Rate] = []
    ) async throws -> ID<Tenant> {
        if let key = operatorKey?.reveal {
            guard (Self.operatorKeyBytesMin...APIKeyToken.lengthMax).contains(key.utf8.count),
                key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
                !key.hasPrefix("parley_") || APIKeyToken.isWellFormed(key)
            else {
                throw Refusal(
                    code: "bad_operator_key",
                    message:
                        "PARLEY_OPERATOR_KEY needs \(Self.operatorKeyBytesMin) to \(APIKeyToken.lengthMax) printable "
                        + "ASCII characters without spaces, and may not look like a mistyped API key")
            }
        }
        return try await database.platformTransaction { [keys] sql in
            // Several processes start at once: the first one does it.
            _ = try await sql.query("SELECT pg_advisory_xact_lock(hashtext('parley.bootstrap'))")
            let tenant = try await Self.operatorTenant(region: region, in: sql)
            if let operatorKey { try await keys.keepBootstrapKey(operatorKey, of: tenant, in: sql) }
            if try await !PriceBookStore.isAny(for: tenant, in: sql) {
                let book = PriceBook(id: .new(), rates: Self.rates + models)
                try await PriceBookStore.insert(
                    PriceBookRow(tenant: tenant, name: "Standard", effectiveFrom: .current, book: book),
                    in: sql)
            }
            return tenant
        }
    }

    private static func operatorTenant(region: String, in sql: PostgresTransaction) async throws -> ID<Tenant>
    {
        if let tenant = try await TenantStore.operatorID(in: sql) { return tenant }
        let tenant = TenantRow(
            id: .new(), under: nil, kind: .operator, name: "Operator",
            limits: TenantLimits(concurrency: concurrencyLimit, region: region))
        try await TenantStore.insert(tenant, in: sql)
        return tenant.id
    }

    /// Placeholder prices, so that a new platform can rate a call; an operator posts its own book over them.
    private static let rates: [Rate] = [
        Rate(
            component: .platform, unit: .milliseconds, price: Money(nanos: 50_000_000), per: 60_000,
            increment: 1000),
        Rate(
            component: .telephony, unit: .milliseconds, price: Money(nanos: 8_500_000), per: 60_000,
            increment: 1000),
        Rate(
            component: .stt, unit: .milliseconds, price: Money(nanos: 4_300_000), per: 60_000, increment: 1000
        ),
        Rate(component: .tts, unit: .characters, price: Money(nanos: 15_000_000), per: 1000),
    ]
}
