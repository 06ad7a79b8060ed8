package import Base
package import Billing
import CallDispatch
package import Postgres
package import Store

/// Takes an outbound call in: policy, hold, call and outbox row in one SQL transaction, the caller's.
package struct AdmitCall: Sendable {
    package struct Request: Sendable {
        package static let variablesMax = 50
        /// Characters of one variable.
        package static let variableLengthMax = 2000
        package static let metadataBytesMax = 4096

        package var agent: ID<Agent>
        /// nil: the agent's latest.
        package var agentVersion: Int?
        /// A number of the tenant's own.
        package var from: E164
        package var to: E164
        package var variables: [String: String] = [:]
        /// The customer's own, given back as it came.
        package var metadata: JSON = [:]
        package init(agent: ID<Agent>, from: E164, to: E164) {
            self.agent = agent
            self.from = from
            self.to = to
        }
    }

    private let parts: CallParts
    package init(_ parts: CallParts) { self.parts = parts }

    /// The book in force now; read before the SQL transaction, under the role that may see books above the
    /// tenant.
    package func prices(for tenant: ID<Tenant>) async throws -> PriceBook {
        try await PlanStore(parts.database).prices(for: tenant)
    }

    /// - Throws: `Refusal`: tenant_suspended, unknown_number, self_call, destination_refused, unknown_agent,
    ///   concurrency_limit (a limit of 0), insufficient_funds.
    package func callAsFunction(
        _ tenant: ID<Tenant>, _ request: Request, prices: PriceBook, in sql: PostgresTransaction
    ) async throws -> CallRow {
        let limits = try await PlanStore.limits(tenant, in: sql)
        let number = try await Self.check(tenant, request, limits, in: sql)
        guard
            let agent = try await PlanStore.release(
                tenant, request.agent, version: request.agentVersion, in: sql)
        else { throw Refusal(code: "unknown_agent", message: "there is no such agent or version") }
        var call = NewCall(
            agent: agent, direction: .outbound, from: Redacted(request.from.description),
            to: Redacted(request.to.description), region: limits.region, prices: prices)
        call.credential = number.credential
        call.variables = request.variables
        call.metadata = request.metadata
        guard try await PlaceHold.first(tenant, call, in: sql) else { throw PlaceHold.insufficient }
        let row = try await CallStore.insertQueued(tenant, call, in: sql)
        try await FactStore.note(row, "queued", in: sql)
        return row
    }

    private static func check(
        _ tenant: ID<Tenant>, _ request: Request, _ limits: PlanStore.Limits, in sql: PostgresTransaction
    ) async throws -> OwnNumber {
        guard limits.isActive else {
            throw Refusal(code: "tenant_suspended", message: "this tenant is suspended")
        }
        guard limits.concurrency > 0 else {
            throw Refusal(code: "concurrency_limit", message: "this tenant may make no calls")
        }
        guard let number = try await PlanStore.ownNumber(tenant, request.from, in: sql) else {
            throw Refusal(code: "unknown_number", message: "`from` must be one of your own numbers")
        }
        guard request.to != request.from, try await PlanStore.ownNumber(tenant, request.to, in: sql) == nil
        else {
            throw Refusal(code: "self_call", message: "`to` is one of your own numbers")
        }
        if let ground = limits.destinations.refusal(of: request.to) {
            throw Refusal(
                code: "destination_refused", message: "this destination is refused: \(ground.rawValue)")
        }
        return number
    }
}

/// The first hold of a call: its first minute at the worst case.
enum PlaceHold {
    static let insufficient = Refusal(
        code: "insufficient_funds", message: "the wallet does not cover the first minute of this call")

    /// False when the money is not there. Locks the wallet.
    static func first(_ tenant: ID<Tenant>, _ call: NewCall, in sql: PostgresTransaction) async throws -> Bool
    {
        let balances = try await LedgerStore.lock(tenant, in: sql)
        let amount = call.prices.worstCase(
            connectedMs: Billing.Hold.interval.milliseconds64, components: call.components)
        guard let postings = Ledger.hold(amount, from: balances) else { return false }
        guard try await LedgerStore.record(tenant, .hold, call.id, number: 0, postings, in: sql) else {
            throw Fault(code: "ledger.entry_exists", retry: .never, cause: "hold 0 of \(call.id)")
        }
        try await LedgerStore.open(tenant, call.id, Billing.Hold(amount: amount), in: sql)
        return true
    }
}

extension Duration {
    var milliseconds64: Int64 { Int64(milliseconds) }
}
