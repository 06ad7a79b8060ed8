import Agents
import Base
import Billing
import CallDispatch
import Crypto
import Foundation
import Postgres
import Store

/// Puts together what a worker needs for one call. Nil when a credential it cannot do without is gone.
struct MakePlan {
    let parts: CallParts
    let seal: TenantSeal

    init(_ parts: CallParts, tenant: ID<Tenant>) async throws {
        self.parts = parts
        // Before the SQL transaction: the vault has its own connection.
        seal = try await parts.vault.seal(for: tenant)
    }

    /// `resumed`: media had started under an earlier epoch.
    func callAsFunction(
        _ call: CallRow, resumed: Bool = false, in sql: PostgresTransaction
    ) async throws -> Plan? {
        let secrets = try await CredentialReader.all(call.tenant, seal: seal, in: sql)
        guard let carrier = secrets.first(where: { $0.id == call.credential && $0.vendor == "twilio" }) else {
            return nil
        }
        let definition = try await PlanStore.definition(call.agent, version: call.agentVersion, in: sql)
        let hold = try await LedgerStore.hold(of: call.id, in: sql) ?? Billing.Hold(amount: .zero)
        let slices = try await FactStore.slices(of: call.id, in: sql)
        let elapsed = slices.filter { $0.epoch < call.epoch }.reduce(0) { $0 + $1.connectedMs }
        var plan = Plan(
            call: call.id, tenant: call.tenant, epoch: call.epoch, direction: call.direction,
            region: call.region,
            from: Redacted(Self.number(call.from.reveal)), to: Redacted(Self.number(call.to.reveal)),
            agent: call.agent,
            agentVersion: call.agentVersion, definition: definition, variables: call.variables,
            carrier: account(carrier, call), carrierCallID: call.carrierCallID,
            vendors: secrets.filter { $0.vendor != "twilio" }.map {
                VendorCredential(vendor: $0.vendor, name: $0.name, key: $0.secret, baseURL: $0.baseURL)
            },
            prices: call.prices, fundedMs: hold.fundedMs, holdNumber: hold.number,
            isResumed: resumed, elapsedMs: Int(elapsed), checkpointKey: checkpointKey(call.id))
        if definition.prompt?.routing != nil {
            plan.routing = TenantRouting(
                rules: try await PlanStore.routing(call.tenant, in: sql),
                spentToday: try await RouteStore.spentToday(call.tenant, in: sql))
        }
        return plan
    }

    /// The account `call` is held at; nil when its credential is gone.
    func carrier(of call: CallRow, in sql: PostgresTransaction) async throws -> CarrierAccount? {
        try await CredentialReader.all(call.tenant, seal: seal, in: sql)
            .first { $0.id == call.credential && $0.vendor == "twilio" }.map { account($0, call) }
    }

    private func account(_ credential: OpenCredential, _ call: CallRow) -> CarrierAccount {
        CarrierAccount(
            vendor: credential.vendor, accountSID: credential.account ?? "", authToken: credential.secret,
            baseURL: credential.baseURL, voiceURL: parts.urls.voice(call.id),
            statusURL: parts.urls.status(call.id))
    }

    /// Derived, so it is stored nowhere and every epoch gets the same.
    private func checkpointKey(_ call: ID<Call>) -> Redacted<String> {
        let key = seal.derived(for: "checkpoint/\(call)") ?? SymmetricKey(size: .bits256)
        return Redacted(key.withUnsafeBytes { Data($0) }.base64EncodedString())
    }

    /// Carriers write callers that hide their number in words; the keypad's "anonymous" stands for them.
    private static func number(_ text: String) -> E164 { E164(text) ?? anonymous }
    private static let anonymous: E164 = {
        guard let number = E164("+266696687") else { preconditionFailure("not E.164") }
        return number
    }()
}

/// A vendor account with its secret open.
struct OpenCredential: Sendable {
    var id: ID<Credential>
    var vendor: String
    var name: String
    var account: String?
    var baseURL: String
    var secret: Redacted<String>
}

enum CredentialReader {
    static func all(
        _ tenant: ID<Tenant>, seal: TenantSeal, in sql: PostgresTransaction
    ) async throws -> [OpenCredential] {
        try await sql.query(
            """
            SELECT id, vendor, name, account, base_url, sealed_secret FROM credentials
                WHERE tenant_id = $1 ORDER BY id DESC
            """,
            [.id(tenant)]
        ).rows.map { row in
            let id = try row.id("id", Credential.self)
            let secret = try seal.open(
                try row.bytes("sealed_secret"), column: "credentials.sealed_secret", row: id.description)
            return OpenCredential(
                id: id, vendor: try row.text("vendor"), name: try row.text("name"),
                account: try row.optionalText("account"),
                baseURL: try row.text("base_url"), secret: Redacted(String(decoding: secret, as: UTF8.self)))
        }
    }
}
