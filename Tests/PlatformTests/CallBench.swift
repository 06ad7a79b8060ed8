import Agents
import Base
import Billing
import CallDispatch
import Crypto
import Foundation
import Logging
import Operations
import Postgres
import Store
import TestKit

/// A migrated database with one tenant that can make calls, and the operations on them.
struct CallBench: Sendable {
    static let ownNumber = E164("+14155550100")!
    static let otherNumber = E164("+14155550199")!
    static let carrierToken = "carrier-token"

    let test: TestDatabase
    let database: Database
    let vault: Vault
    let parts: CallParts
    let link: LocalControlLink
    let tenant: ID<Tenant>
    let agent: ID<Agent>
    let credential: ID<Credential>
    let worker = ID<Worker>.new()

    static func with(
        concurrency: Int = 100, dollars: Int64 = 100, _ body: @Sendable (CallBench) async throws -> Void
    ) async throws {
        await Turnstile.shared.enter()
        do {
            try await alone(concurrency, dollars, body)
        } catch {
            await Turnstile.shared.leave()
            throw error
        }
        await Turnstile.shared.leave()
    }

    private static func alone(
        _ concurrency: Int, _ dollars: Int64, _ body: @Sendable (CallBench) async throws -> Void
    ) async throws {
        try await TestDatabase.with { test in
            let bench = try await CallBench(test, concurrency: concurrency)
            do {
                if dollars > 0 { try await bench.topUp(.dollars(dollars)) }
                try await body(bench)
            } catch {
                await bench.database.close()
                throw error
            }
            await bench.database.close()
        }
    }

    static let workerKey = SymmetricKey(data: Data(repeating: 7, count: 32))

    static func masterKeys() throws -> MasterKeys {
        try MasterKeys(Redacted(Data(repeating: 1, count: 32).base64EncodedString()))
    }

    private init(_ test: TestDatabase, concurrency: Int) async throws {
        self.test = test
        var settings = Database.Settings(url: test.url)
        settings.waitLimit = .seconds(30)
        settings.admissionTimeout = .seconds(30)
        database = Database(settings, logger: .quiet)
        vault = Vault(database: database, masterKeys: try Self.masterKeys())
        parts = CallParts(
            database: database, vault: vault, urls: CarrierURLs(publicURL: "https://parley.test"),
            workerKey: Self.workerKey)
        link = LocalControlLink(parts)
        (tenant, agent, credential) = try await Self.seed(
            database, vault, number: Self.ownNumber, concurrency)
    }

    /// A tenant with an agent, a carrier account and a number, priced by the standard book.
    static func seed(
        _ database: Database, _ vault: Vault, number: E164, _ concurrency: Int
    ) async throws -> (ID<Tenant>, ID<Agent>, ID<Credential>) {
        let (tenant, agent, credential) = (ID<Tenant>.new(), ID<Agent>.new(), ID<Credential>.new())
        try await database.platformTransaction { sql in
            let row = TenantRow(
                id: tenant, under: nil, kind: .client, name: "Calls",
                limits: TenantLimits(concurrency: concurrency, region: "local"))
            // Straight below an operator that only the database knows.
            let root = try await sql.query("SELECT id FROM tenants WHERE kind = 'operator'").rows.first?.id(
                "id", Tenant.self)
            let above = root ?? .new()
            if root == nil {
                let top = TenantRow(
                    id: above, under: nil, kind: .operator, name: "Operator",
                    limits: TenantLimits(concurrency: 100_000, region: "local"))
                try await TenantStore.insert(top, in: sql)
            }
            var child = row
            child.parent = above
            child.path = [above, tenant]
            try await TenantStore.insert(child, in: sql)
            _ = try await sql.query(
                """
                INSERT INTO price_books (tenant_id, id, name, effective_from, rates)
                    VALUES ($1, $2, 'Test', now(), $3::jsonb)
                """,
                [
                    .id(tenant), .id(ID<PriceBookEntity>.new()),
                    .text(
                        String(decoding: try JSONEncoder().encode(PriceBook.standard.rates), as: UTF8.self)),
                ])
        }
        let secret = try await vault.seal(for: tenant).seal(
            Array(carrierToken.utf8), column: "credentials.sealed_secret", row: credential.description)
        var node = Node(id: "start")
        node.say = "Hello"
        var definition = AgentDefinition()
        definition.flow = Flow(start: "start", nodes: [node])
        let text = String(decoding: try JSONEncoder().encode(definition), as: UTF8.self)
        try await database.tenantTransaction(tenant) { sql in
            _ = try await sql.query(
                "INSERT INTO agents (tenant_id, id, name, latest_version) VALUES ($1, $2, 'Desk', 1)",
                [.id(tenant), .id(agent)])
            _ = try await sql.query(
                """
                INSERT INTO agent_versions (tenant_id, agent_id, number, definition)
                    VALUES ($1, $2, 1, $3::jsonb)
                """,
                [.id(tenant), .id(agent), .text(text)])
            _ = try await sql.query(
                """
                INSERT INTO credentials (tenant_id, id, vendor, name, account, base_url, sealed_secret, last4)
                VALUES ($1, $2, 'twilio', 'Carrier', 'AC1', 'https://carrier.test', $3, 'oken')
                """, [.id(tenant), .id(credential), .bytes(secret)])
            _ = try await sql.query(
                """
                INSERT INTO phone_numbers (tenant_id, id, e164, agent_id, credential_id) VALUES
                    ($1, $2, $3, $4, $5)
                """,
                [
                    .id(tenant), .id(ID<PhoneNumber>.new()), .text(number.description), .id(agent),
                    .id(credential),
                ])
        }
        return (tenant, agent, credential)
    }
}

extension CallBench {
    @discardableResult
    func topUp(_ amount: Money) async throws -> TopUp.Receipt {
        try await database.tenantTransaction(tenant) { try await TopUp.make(tenant, amount: amount, in: $0) }
    }

    func admit(to: E164 = CallBench.otherNumber) async throws -> CallRow {
        let admit = AdmitCall(parts)
        let prices = try await admit.prices(for: tenant)
        let request = AdmitCall.Request(agent: agent, from: Self.ownNumber, to: to)
        return try await database.tenantTransaction(tenant) {
            try await admit(tenant, request, prices: prices, in: $0)
        }
    }

    /// The lease then lasts an hour: a slow machine must not decide what a test finds.
    @discardableResult
    func renew(_ worker: ID<Worker>? = nil, capacity: Int = 1000, live: [CallKey] = []) async throws
        -> LeaseAnswer
    {
        let answer = try await link.renew(
            WorkerStatus(
                worker: worker ?? self.worker, region: "local", mediaURL: "ws://worker.test:1",
                capacity: capacity,
                isDraining: false, live: live))
        try await superuser(
            """
            UPDATE workers SET expires_at = now() + interval '1 hour' WHERE id =
                '\((worker ?? self.worker).uuidString)'
            """
        )
        return answer
    }

    /// Makes the worker's lease run out now.
    func kill(_ worker: ID<Worker>? = nil) async throws {
        try await superuser(
            """
            UPDATE workers SET expires_at = now() - interval '1 hour' WHERE id =
                '\((worker ?? self.worker).uuidString)'
            """
        )
    }

    func find(_ call: ID<Call>) async throws -> CallRow {
        guard let row = try await CallStore(database).find(tenant, call) else {
            throw Refusal(code: "gone", message: "")
        }
        return row
    }

    func report(_ call: ID<Call>, epoch: Int = 1, _ sequence: Int, _ fact: CallFact) -> Report {
        Report(call: call, tenant: tenant, epoch: epoch, sequence: sequence, at: .current, fact: fact)
    }

    @discardableResult
    func tell(_ call: ID<Call>, epoch: Int = 1, _ sequence: Int, _ fact: CallFact) async throws
        -> ReportReceipt
    {
        try await link.report([report(call, epoch: epoch, sequence, fact)])
    }

    func token(_ call: ID<Call>) async throws -> MediaToken {
        let row = try await find(call)
        return MediaToken(
            tenant: tenant, call: call, worker: row.worker ?? worker, epoch: row.epoch,
            expires: Timestamp.current + MediaToken.lifetime)
    }

    /// Claimed, dialled, answered, attached.
    func connected(_ worker: ID<Worker>? = nil) async throws -> CallRow {
        let call = try await admit().id
        try await renew(worker)
        _ = try await link.claim(call, tenant: tenant, worker: worker ?? self.worker)
        try await tell(call, 1, .dialing)
        try await tell(call, 2, .carrierAccepted(carrierCallID: "CA\(call.description.suffix(8))"))
        _ = try await ContinueCall(parts).answered(
            try await find(call), carrierCallID: "CA\(call.description.suffix(8))")
        _ = try await link.attach(
            try await token(call), worker: worker ?? self.worker,
            carrierCallID: "CA\(call.description.suffix(8))")
        return try await find(call)
    }

    /// One round of the sweeper, leases trusted.
    @discardableResult
    func sweep(_ change: (inout SweepStore.Patience) -> Void = { _ in }) async throws -> SweepCalls.Swept {
        var patience = SweepStore.Patience()
        patience.reattach = .zero
        change(&patience)
        let sweep = SweepCalls(parts, patience: patience)
        return try await sweep(try await sweep.findings())
    }

    @discardableResult
    func superuser(_ sql: String) async throws -> PostgresRows {
        try await test.query(sql)
    }

    func number(_ sql: String) async throws -> Int64 { try await superuser(sql).rows[0].int(0) }

    /// Everything that must be true of money at any moment, counted behind row-level security; empty when
    /// it is.
    func moneyProblems() async throws -> [String] {
        let checks = [
            "unbalanced entries": """
            SELECT count(*) FROM (SELECT entry_id FROM ledger_postings GROUP BY entry_id, kind, number
                HAVING sum(amount_nanos) <> 0) AS bad
            """,
            "wallets unlike their postings": """
            SELECT count(*) FROM wallets w CROSS JOIN LATERAL (SELECT
                coalesce(sum(amount_nanos) FILTER (WHERE account = 'available'), 0) AS a,
                coalesce(sum(amount_nanos) FILTER (WHERE account = 'held'), 0) AS h,
                coalesce(sum(amount_nanos) FILTER (WHERE account = 'debt'), 0) AS d,
                coalesce(max(position), 0) AS p
                FROM ledger_postings WHERE tenant_id = w.tenant_id) AS s
            WHERE (a, h, d, p) IS DISTINCT FROM (available_nanos, held_nanos, debt_nanos, w.position)
            """,
            "held money unlike open holds": """
            SELECT count(*) FROM wallets w WHERE held_nanos <> (SELECT coalesce(sum(amount_nanos), 0) FROM
                holds h
                WHERE h.tenant_id = w.tenant_id AND state = 'open')
            """,
            "ended calls with an open hold": """
            SELECT count(*) FROM calls c JOIN holds h ON h.call_id = c.id WHERE c.state = 'ended' AND
                h.state = 'open'
            """,
            "live calls without an open hold": """
            SELECT count(*) FROM calls c LEFT JOIN holds h ON h.call_id = c.id AND h.state = 'open'
            WHERE c.state <> 'ended' AND h.call_id IS NULL
            """,
            "calls unlike their bill": """
            SELECT count(*) FROM calls c WHERE state = 'ended' AND (
                cost_nanos <> (SELECT coalesce(sum(amount_nanos), 0) FROM call_costs k WHERE k.call_id = c.id)
                OR cost_nanos <> (SELECT coalesce(sum(amount_nanos), 0) FROM ledger_postings p
                    WHERE p.entry_id = c.id AND p.account = 'revenue'))
            """,
        ]
        var problems: [String] = []
        for (name, sql) in checks {
            let found = try await number(sql)
            if found != 0 { problems.append("\(name): \(found)") }
        }
        return problems
    }
}

/// Lets a few benches be open at once: all tests run side by side, and the server has two hundred
/// connections.
actor Turnstile {
    static let shared = Turnstile()
    private static let benchesMax = 5
    private var inside = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async {
        if inside < Self.benchesMax {
            inside += 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { inside -= 1 } else { waiting.removeFirst().resume() }
    }
}
