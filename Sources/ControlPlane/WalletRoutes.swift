import Base
import Billing
import Hummingbird
import Operations
import Store

/// `/v1/wallet`: what a tenant has, and the operator's top-ups.
struct WalletRoutes: Routes {
    private let parts: ControlPlane.Parts
    init(_ parts: ControlPlane.Parts) { self.parts = parts }

    func add(to router: RouterGroup<ControlRequest>) {
        router.get("/v1/wallet", use: get)
        router.post("/v1/wallet/top-ups", use: topUp)
    }

    private func get(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.walletRead)
        return Answer.json(Self.json(try await LedgerStore(parts.database).balances(access.tenant)))
    }

    /// For the tenant in `Parley-Tenant`, by the operator.
    private func topUp(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.requireOperator()
        try access.require(.walletWrite)
        let body = try await Convert.body(request, context)
        let fields = try body.fields()
        let amount = fields.money("amount")
        try fields.finish()
        return try await parts.idempotency.create(request, context, body) { sql in
            let receipt = try await TopUp.make(access.tenant, amount: amount, in: sql)
            var members = Self.json(receipt.balances).object ?? [:]
            members["id"] = .id(receipt.entry)
            members["object"] = "top_up"
            members["amount"] = .string(amount.description)
            return StoredAnswer(status: 201, body: JSON.object(members).text)
        }
    }

    private static func json(_ balances: Ledger.Balances) -> JSON {
        [
            "object": "wallet", "currency": "USD", "balance": .string(balances.total.description),
            "available": .string(balances.available.description), "held": .string(balances.held.description),
            "debt": .string((-balances.debt).description),
        ]
    }
}
